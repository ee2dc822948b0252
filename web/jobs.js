"use strict";

// Fills the list of recent jobs and keeps it fresh. Every text is set as text: names are strangers' words.

function cell(row, content) {
  const td = document.createElement("td");
  if (content instanceof Node) td.append(content); else td.textContent = content;
  row.append(td);
}

function stateMark(job) {
  const mark = document.createElement("span");
  mark.className = "state " + (job.state === "DONE" ? "done" : job.state === "FAILED" ? "failed" : "busy");
  mark.textContent = job.state.toLowerCase().replaceAll("_", " ");
  return mark;
}

async function refresh() {
  const note = document.getElementById("note");
  try {
    const reply = await fetch("/api/v1/recent_jobs/?limit=50", {credentials: "same-origin"});
    if (reply.status === 401) { location.assign("/sign-in/?next=/jobs/"); return; }
    if (!reply.ok) throw new Error("status " + reply.status);
    const report = await reply.json();
    const rows = report.jobs.map((job) => {
      const row = document.createElement("tr");
      const link = document.createElement("a");
      link.href = "/jobs/" + encodeURIComponent(job.id) + "/";
      link.textContent = job.id;
      link.className = "mono";
      cell(row, link);
      cell(row, job.kind);
      cell(row, job.name);
      cell(row, job.device);
      cell(row, stateMark(job));
      cell(row, new Date(job.created).toLocaleString());
      return row;
    });
    document.getElementById("jobs").replaceChildren(...rows);
    note.textContent = report.total === 0 ? "No jobs yet." : report.jobs.length + " of " + report.total + " jobs";
  } catch (error) {
    note.textContent = "The hub does not answer (" + error.message + "); trying again …";
  }
  setTimeout(refresh, 3000);
}

refresh();
