"use strict";

// Shows one job from its report (slipway-job-report/1) and follows it until it has ended. Every text is set as text:
// names, options and log lines are strangers' words.

const jobId = decodeURIComponent(location.pathname.split("/").filter(Boolean)[1] || "");
const api = "/api/v1/jobs/" + encodeURIComponent(jobId) + "/";

function figure(value) { return typeof value === "number" ? value.toPrecision(5) : String(value); }

function duration(from, to) {
  if (!from) return "";
  const seconds = (new Date(to || Date.now()) - new Date(from)) / 1000;
  return seconds < 120 ? Math.max(0, seconds).toFixed(1) + " s" : (seconds / 60).toFixed(1) + " min";
}

// Kept apart from the rest, which is drawn anew only when the report changes.
let runningMark = null;

function durationMark(job) {
  runningMark = element("span", "", duration(job.started, job.completed));
  return runningMark;
}

// Sections ----------------------------------------------------------------------------------------------------------

function failureSection(report) {
  const failure = report.failure;
  if (!failure) return null;
  return card("The job failed", "bad", element("p", "reason", failure.reason || "No reason was given."),
    element("p", "soft", "Kind of failure: " + failure.type),
    failure.details ? element("pre", "log", failure.details) : null);
}

function warningsSection(report) {
  if (report.warnings.length === 0) return null;
  return card("Done, with a warning", "warn", element("ul", "remarks", ...report.warnings.map((text) => element("li", "", text))));
}

function emulationSection(report) {
  if (!report.profile || !report.profile.is_emulated) return null;
  return card("", "warn", element("strong", "", "HTP emulator: nothing was measured on the device."),
    element("div", "", "The run shows that the model works on this chip's NPU and which unit takes which layer. " +
      "It carries no times and no memory figures."));
}

function remarksSection(report) {
  if (report.remarks.length === 0) return null;
  return card("Remarks", "", element("ul", "remarks", ...report.remarks.map((text) => element("li", "", text))));
}

function timesSection(report) {
  const job = report.job;
  const place = job.queue_position;
  return card("Course", "", facts([
    ["Submitted", clock(job.created) + " by " + job.owner],
    ["Started", clock(job.started)],
    ["Ended", clock(job.completed)],
    [job.is_finished ? "Took" : "Running for", job.started ? durationMark(job) : ""],
    ["Queue", place === null ? "" : place === 0 ? "next in line" : place + " ahead"],
    ["Options", job.options ? element("code", "", job.options) : "none"],
  ]));
}

function deviceSection(report) {
  const device = report.device;
  if (!device) return null;
  const chip = device.chip;
  return card("Device", "", facts([
    ["Name", device.name],
    ["OS", device.os],
    ["Chip", [chip ? chip.name : "", device.soc].filter(Boolean).join(" · ")],
    ["NPU", chip && device.has_htp ? "Hexagon HTP v" + chip.htp_arch + ", SoC model " + chip.soc_model : "none (no HTP)"],
    ["Presence", device.presence_note],
  ]));
}

function absenceOf(entry, job) {
  return entry.producer_job_id === job.id && job.state === "FAILED" ? "none: the job failed" : "not there yet";
}

function producerFact(entry) {
  const producer = entry.producer_job_id;
  return ["Made by", producer && producer !== jobId ? pageLink("jobs", producer) : ""];
}

function modelCard(title, model, job) {
  return card(title, "", facts([
    ["Name", model.name],
    ["Id", pageLink("models", model.id)],
    ["Format", model.format],
    ...fileFacts(model, absenceOf(model, job)),
    producerFact(model),
    ["Problem", model.error],
    ...Object.entries(model.facts || {}),
  ]), tensors("Inputs", model.inputs), tensors("Outputs", model.outputs));
}

function datasetCard(title, dataset, job) {
  return card(title, "", facts([
    ["Name", dataset.name],
    ["Id", pageLink("datasets", dataset.id)],
    ...fileFacts(dataset, absenceOf(dataset, job)),
    producerFact(dataset),
    ["Problem", dataset.error],
    ["Expires", clock(dataset.expires)],
  ]), entriesTable(dataset));
}

function filesSection(report) {
  const cards = [];
  if (report.inputs.model) cards.push(modelCard("Input model", report.inputs.model, report.job));
  if (report.outputs.model) cards.push(modelCard("Produced model", report.outputs.model, report.job));
  if (report.inputs.dataset) cards.push(datasetCard("Input data", report.inputs.dataset, report.job));
  if (report.outputs.dataset) cards.push(datasetCard("Output data", report.outputs.dataset, report.job));
  if (report.inputs.specs.length) cards.push(card("Input specs as submitted", "", tensors("", report.inputs.specs)));
  return cards.length ? element("div", "columns", ...cards) : null;
}

function agreementSection(report) {
  const agreement = report.agreement;
  if (!agreement || (agreement.rows.length === 0 && !agreement.note)) return null;
  const rows = agreement.rows.map((row) => [
    row.output, row.not_comparable + " of " + row.elements + (row.source_nan ? " (" + row.source_nan + " NaN in the source)" : ""),
    (100 * row.equal_share).toFixed(1) + " %",
    ...(row.is_exact || row.equal_share === 1 ? ["–", "–", "–", "–"] : [row.max_abs, row.relative_max, row.snr_db, row.cosine].map(figure)),
    row.alarm ? element("strong", "alarm", "alarm") : "agrees"]);
  const titles = ["Output", "Not comparable", "Equal", "Largest difference", "of the peak", "Signal to noise, dB", "Cosine", ""];
  return card("Agreement with the source model", "", agreement.note ? element("p", "soft", agreement.note) : null,
    rows.length ? table(titles, rows, [1, 2, 3, 4, 5, 6]) : null);
}

function recipeSection(report) {
  const settings = Object.entries(report.recipe || {});
  return settings.length ? card("Recipe", "", facts(settings)) : null;
}

function statisticsSection(report) {
  const profile = report.profile;
  if (!profile || profile.is_emulated || !profile.phases) return null;
  const range = (pair) => (pair[0] === 0 && pair[1] === 0 ? "–" : bytes(pair[0]) + " – " + bytes(pair[1]));
  const phases = [["Compile on device", "compile"], ["First load", "cold_load"], ["Later load", "warm_load"],
    ["Inference", "inference"]];
  const rows = phases.filter(([, key]) => profile.phases[key].times_us.length > 0).map(([name, key]) => {
    const phase = profile.phases[key];
    const sorted = [...phase.times_us].sort((a, b) => a - b);
    return [name, String(sorted.length), time(sorted[0]), time(median(sorted)), time(sorted[sorted.length - 1]),
      range(phase.peak_bytes)];
  });
  const statistics = profile.statistics;
  return card("Measured", "",
    statistics ? element("p", "", element("strong", "", time(statistics.median_us)), " median of " + statistics.samples +
      " runs, 90 % within " + time(statistics.p90_us) + (statistics.stable ? "" : " (not yet stable)")) : null,
    element("p", "soft", "on " + profile.machine),
    table(["Phase", "Runs", "Shortest", "Median", "Longest", "Peak memory"], rows, [1, 2, 3, 4, 5]));
}

function unitLegend(layers) {
  const counts = new Map();
  for (const layer of layers) counts.set(layer.unit || "unknown", (counts.get(layer.unit || "unknown") || 0) + 1);
  return element("div", "legend", ...[...counts].map(([unit, count]) =>
    element("span", "", element("span", "swatch unit-" + unit.replace(/[^A-Z]/g, "")), unit + ": " + count +
      (count === 1 ? " layer" : " layers"))));
}

function layersSection(report) {
  const profile = report.profile;
  if (!profile || (profile.layers.length === 0 && !profile.placement)) return null;
  const shown = 20;
  const timed = profile.layers.filter((layer) => layer.time_us !== null);
  const children = [];
  if (profile.placement) children.push(element("p", "", profile.placement));
  children.push(unitLegend(profile.layers));
  if (timed.length > 0) {
    children.push(element("p", "soft", "Timed one by one with the profiler on, which makes short layers longer."));
    timed.sort((a, b) => b.time_us - a.time_us);
    const longest = Math.max(timed[0].time_us, 1);
    for (const layer of timed.slice(0, shown)) {
      const bar = element("div", "bar unit-" + layer.unit.replace(/[^A-Z]/g, ""));
      bar.style.setProperty("width", (100 * layer.time_us / longest) + "%");
      const name = element("div", "name mono", layer.name);
      name.title = layer.name + " (" + layer.type + ", " + layer.unit + ")";
      children.push(element("div", "layer", name, element("div", "", bar), element("div", "soft", layer.unit),
        element("div", "time", time(layer.time_us))));
    }
  } else {
    for (const layer of profile.layers.slice(0, shown)) {
      const name = element("div", "name mono", layer.name);
      name.title = layer.name;
      children.push(element("div", "layer plain", name, element("div", "soft", layer.type), element("div", "", layer.unit)));
    }
  }
  const total = timed.length > 0 ? timed.length : profile.layers.length;
  if (total > shown) children.push(element("p", "soft", (total - shown) + " more in the job's result"));
  return card(timed.length > 0 ? "Slowest layers" : "Layers and their units (no times)", "", ...children);
}

function estimateSection(report) {
  const estimate = report.compiler_estimate;
  const traffic = Object.entries(report.compiler_traffic_bytes || {});
  if (!estimate && traffic.length === 0) return null;
  return card("The compiler's estimate", "estimate",
    element("p", "soft", estimate ? estimate.label : "Figures of the compiler for the chip, not measured on a device."),
    estimate ? element("p", "", "about " + time(Math.round(estimate.nominal_us)) + ", between " +
      time(Math.round(estimate.lower_us)) + " and " + time(Math.round(estimate.upper_us))) : null,
    traffic.length ? facts(traffic.map(([name, count]) => [name, bytes(count)])) : null);
}

function provenanceSection(report) {
  const origin = report.provenance;
  return card("Provenance", "", facts([
    ["Hub", origin.hub_version],
    ["Agent", origin.agent],
    ["Attempts", String(origin.attempts)],
    ["Sandbox", origin.sandbox],
    ...Object.entries(origin.tool_versions),
    ...Object.entries((report.profile || {}).runtime_config || {}),
  ]));
}

function artifactsSection(report) {
  if (report.artifacts.length === 0) return null;
  return card("Downloads", "", table(["File", "What", "Size", "SHA-256"], report.artifacts.map((artifact) => [
    artifact.download_url ? link(artifact.filename, artifact.download_url) : artifact.filename,
    artifact.type,
    artifact.content ? bytes(artifact.content.size_bytes) : "",
    element("code", "", artifact.content ? artifact.content.sha256.slice(0, 16) + "…" : ""),
  ]), [2]));
}

// The page ----------------------------------------------------------------------------------------------------------

let lastReport = "";

function draw(text) {
  if (text === lastReport) return JSON.parse(text);
  lastReport = text;
  const report = JSON.parse(text);
  const job = report.job;
  const title = job.name || job.id;
  document.title = title + " · Slipway";
  document.getElementById("name").textContent = title;
  document.getElementById("subtitle").textContent = job.kind + " job " + job.id;
  fillStateMark(document.getElementById("state"), job);
  const sections = [failureSection, warningsSection, emulationSection, remarksSection, statisticsSection, layersSection,
    estimateSection, agreementSection, recipeSection];
  const facing = element("div", "columns", ...[timesSection, deviceSection, provenanceSection].map((make) => make(report)));
  document.getElementById("sections").replaceChildren(
    ...[...sections.map((make) => make(report)), facing, filesSection(report), artifactsSection(report)].filter(Boolean));
  return report;
}

let logOffset = 0;

async function readLog() {
  const reply = await fetch(api + "log/?offset=" + logOffset, {credentials: "same-origin"});
  if (!reply.ok) return;
  const part = await reply.json();
  logOffset = part.next_offset;
  if (!part.text) return;
  const log = document.getElementById("log");
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
  log.append(part.text);
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

follow(api + "report/", async (text) => {
  const job = draw(text).job;
  await readLog();
  if (job.is_finished) return 0;
  if (job.started && runningMark) runningMark.textContent = duration(job.started, null);
  return 1000;
});
