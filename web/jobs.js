"use strict";

// Fills the list of recent jobs and keeps it fresh.

follow("/api/v1/recent_jobs/?limit=50", (text) => {
  const report = JSON.parse(text);
  document.getElementById("jobs").replaceChildren(jobsTable(report.jobs));
  document.getElementById("note").textContent =
    report.total === 0 ? "No jobs yet." : report.jobs.length + " of " + report.total + " jobs";
  return 3000;
});
