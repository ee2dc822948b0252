"use strict";

// What the pages share: how facts, tables, links and figures are built. Every text is set as text: names, options and
// log lines are strangers' words.

// Building blocks ---------------------------------------------------------------------------------------------------

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function card(title, className, ...children) {
  return element("section", "card " + className, title ? element("h2", "", title) : null, ...children);
}

function facts(pairs) {
  const list = element("dl", "");
  for (const [name, value] of pairs) {
    if (value === null || value === undefined || value === "") continue;
    list.append(element("dt", "", name), element("dd", "", value));
  }
  return list;
}

function table(headings, rows, numberColumns) {
  const isNumber = (i) => numberColumns.includes(i);
  const head = element("tr", "", ...headings.map((text, i) => element("th", isNumber(i) ? "number" : "", text)));
  const body = rows.map((row) =>
    element("tr", "", ...row.map((value, i) => element("td", isNumber(i) ? "number" : "", value))));
  return element("div", "scroll", element("table", "", element("thead", "", head), element("tbody", "", ...body)));
}

function link(text, address) {
  const made = element("a", "", text);
  made.href = address;
  return made;
}

// Figures -----------------------------------------------------------------------------------------------------------

function bytes(count) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1024 && unit < units.length - 1) { count /= 1024; unit += 1; }
  return (unit === 0 ? count : count.toFixed(1)) + " " + units[unit];
}

function time(microseconds) {
  if (microseconds < 1000) return microseconds + " µs";
  if (microseconds < 1e6) return (microseconds / 1000).toPrecision(4) + " ms";
  return (microseconds / 1e6).toPrecision(4) + " s";
}

function median(sorted) {
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : Math.round((sorted[middle - 1] + sorted[middle]) / 2);
}

function clock(text) { return text ? new Date(text).toLocaleString() : ""; }

// Jobs, models and datasets -----------------------------------------------------------------------------------------

function stateMark(job) {
  return fillStateMark(element("span", ""), job);
}

function fillStateMark(mark, job) {
  const word = job.state.toLowerCase().replaceAll("_", " ") + (job.has_warnings ? ", with a warning" : "");
  if (mark.textContent !== word) mark.textContent = word;
  mark.className = "state " + (job.has_warnings ? "warned" : job.state === "DONE" ? "done" : job.state === "FAILED" ? "failed" : "busy");
  return mark;
}

function pageLink(kind, id) {
  return element("code", "", link(id, "/" + kind + "/" + encodeURIComponent(id) + "/"));
}

function jobsTable(jobs) {
  return table(["Job", "Kind", "Name", "Device", "State", "Submitted"],
    jobs.map((job) => [pageLink("jobs", job.id), job.kind, element("div", "wrap", job.name), job.device, stateMark(job), clock(job.created)]), []);
}

const standingClasses = {"ready": "done", "unusable": "failed", "not made": "failed", "expired": "failed"};

function fillStanding(mark, state) {
  mark.textContent = state;
  mark.className = "state " + (standingClasses[state] || "busy");
  return mark;
}

function contentCells(kind, content) {
  const made = content.producer_job_id ? pageLink("jobs", content.producer_job_id) : "uploaded";
  return [pageLink(kind, content.id), element("div", "wrap", content.name), made,
    content.content ? bytes(content.content.size_bytes) : "", fillStanding(element("span", ""), content.state), clock(content.created)];
}

function modelsTable(models) {
  return table(["Model", "Name", "Made by", "Size", "State", "Created", "Format"],
    models.map((model) => [...contentCells("models", model), model.format]), [3]);
}

function datasetsTable(datasets) {
  return table(["Dataset", "Name", "Made by", "Size", "State", "Created", "Expires"],
    datasets.map((dataset) => [...contentCells("datasets", dataset), dataset.expires ? clock(dataset.expires) : "never"]), [3]);
}

function fileFacts(content, otherwise) {
  if (!content.content) return [["File", otherwise]];
  const file = content.download_url ? link("download", content.download_url) : null;
  return [
    ["File", element("span", "", bytes(content.content.size_bytes), file ? " · " : "", file || "")],
    ["SHA-256", element("code", "", content.content.sha256)],
  ];
}

function tensors(title, list) {
  if (!list || list.length === 0) return null;
  return element("div", "", title ? element("h3", "", title) : null, table(["Name", "Type"],
    list.map((entry) => [element("div", "wrap", (entry.graph ? entry.graph + ": " : "") + entry.name), element("code", "", entry.type)]), []));
}

function entriesTable(dataset) {
  const entries = (dataset.entries || []).map((entry) =>
    [entry.name, element("code", "", entry.type + (entry.shapes_differ ? " and other shapes" : "")), entry.samples]);
  return entries.length ? table(["Entry", "Type", "Samples"], entries, [2]) : null;
}

// The page ----------------------------------------------------------------------------------------------------------

// Asks for a report again and again. show(text) draws it and says after how many milliseconds to ask again; 0: never.
async function follow(address, show) {
  const trouble = document.getElementById("trouble");
  let wait = 3000;
  try {
    const reply = await fetch(address, {credentials: "same-origin"});
    if (reply.status === 401) { location.assign("/sign-in/?next=" + encodeURIComponent(location.pathname)); return; }
    if (!reply.ok) throw new Error("status " + reply.status);
    wait = await show(await reply.text());
    trouble.textContent = "";
  } catch (error) {
    trouble.textContent = "The hub does not answer (" + error.message + "); trying again …";
  }
  if (wait) setTimeout(() => follow(address, show), wait);
}
