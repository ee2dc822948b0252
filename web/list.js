"use strict";

// Fills the list of recent jobs, models or datasets, as the address says, and keeps it fresh.

const kind = location.pathname.split("/").filter(Boolean)[0];
const tables = {jobs: jobsTable, models: modelsTable, datasets: datasetsTable};

document.title = "Recent " + kind + " · Slipway";
document.getElementById("title").textContent = "Recent " + kind;

follow("/api/v1/recent_" + kind + "/?limit=50", (text) => {
  const report = JSON.parse(text);
  const lines = report[kind];
  document.getElementById("list").replaceChildren(...(lines.length ? [tables[kind](lines)] : []));
  document.getElementById("note").textContent =
    report.total === 0 ? "No " + kind + " yet." : lines.length + " of " + report.total + " " + kind;
  return 3000;
});
