"use strict";

// Shows one model or dataset from its report (slipway-model-report/1, slipway-dataset-report/1) and keeps it fresh: it
// may be under way, and jobs that take it may come.

const [kind, contentId] = location.pathname.split("/").filter(Boolean).map(decodeURIComponent);
const isModel = kind === "models";

function noteSection(report) {
  if (!report.note) return null;
  const isBad = standingClasses[report.state] === "failed";
  return card(isBad ? "It cannot be used" : "", isBad ? "bad" : "", element("p", "reason", report.note));
}

function factsSection(report) {
  const content = report.content;
  return card(isModel ? "Model" : "Dataset", "", facts([
    ["Id", element("code", "", content.id)],
    ["Format", content.format],
    ...fileFacts(content, report.state),
    ["Owner", content.owner],
    ["Created", clock(content.created)],
    ["Expires", isModel ? "" : content.expires ? clock(content.expires) : "never"],
  ]));
}

function originSection(report) {
  const found = Object.entries(report.content.facts || {});
  const job = report.producer;
  const origin = job ? element("span", "", pageLink("jobs", job.id), " ", stateMark(job)) : "uploaded";
  return card("Origin", "", facts([
    ["Made by", origin],
    ["Job's name", job ? job.name : ""],
    ...found,
  ]));
}

function signatureSection(report) {
  const content = report.content;
  const parts = isModel ? [tensors("Inputs", content.inputs), tensors("Outputs", content.outputs)]
    : [entriesTable(content)];
  const known = parts.filter(Boolean);
  return known.length ? card(isModel ? "Inputs and outputs" : "Entries", "", ...known) : null;
}

function jobsSection(report) {
  const title = isModel ? "Jobs that take this model" : "Jobs that take this dataset";
  if (report.jobs_total === 0) return card(title, "", element("p", "soft", "None yet."));
  const shown = report.jobs.length;
  return card(title, "", jobsTable(report.jobs),
    shown < report.jobs_total ? element("p", "soft", "the newest " + shown + " of " + report.jobs_total) : null);
}

let lastReport = "";

follow("/api/v1/" + kind + "/" + encodeURIComponent(contentId) + "/report/", (text) => {
  const report = JSON.parse(text);
  // Links to downloads end after a while, so they are signed anew each time; that alone is no reason to draw again.
  const seen = text.replace(/"download_url":"[^"]*"/g, "");
  if (seen === lastReport) {
    const file = document.querySelector('a[href^="/assets/download/"]');
    if (file && report.content.download_url) file.href = report.content.download_url;
    return 3000;
  }
  lastReport = seen;
  const title = report.content.name || report.content.id;
  document.title = title + " · Slipway";
  document.getElementById("name").textContent = title;
  document.getElementById("subtitle").textContent = (isModel ? "model " : "dataset ") + report.content.id;
  fillStanding(document.getElementById("state"), report.state);
  document.getElementById("sections").replaceChildren(...[noteSection(report),
    element("div", "columns", factsSection(report), originSection(report)), signatureSection(report),
    jobsSection(report)].filter(Boolean));
  return 3000;
});
