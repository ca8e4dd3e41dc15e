// The course of one patient on one time axis: a stack of panels that are zoomed together.
"use strict";

const DAY = 86400000;
const INK = "#1b2733", MUTED = "#5a6773", RULE = "#d5dbe0";
const LANE = 17, LEFT = 150, RIGHT = 24, HEAD = 24, GAP = 36;
const SHAPE = { value: "circle", zero: "emptyCircle", below: "path://M0 0 L10 0 L5 9 Z", above: "path://M5 0 L10 9 L0 9 Z", spurious: "path://M0 0 L10 10 M10 0 L0 10" };

const time = (day) => Date.parse(day + "T00:00:00Z");
const day = (at) => new Date(at).toISOString().slice(0, 10);
const upper = (word) => word.charAt(0).toUpperCase() + word.slice(1);

function width(text) {
  let found = 0;
  for (const char of text) found += char.charCodeAt(0) > 0x2e80 ? 11 : 6.3;
  return found;
}

// Rows for texts that begin at places (in pixels), so that none lies over another.
function rowsOf(spans) {
  const ends = [];
  return spans.map(([from, to]) => {
    let row = ends.findIndex((end) => end < from);
    if (row < 0) row = ends.push(0) - 1;
    ends[row] = to + 6;
    return row;
  });
}

function category(names, colour) {
  return { type: "category", data: names, inverse: true, axisTick: { show: false }, axisLine: { show: false },
    axisLabel: { interval: 0, fontSize: 11, color: colour || INK, width: LEFT - 12, overflow: "truncate" }, splitLine: { show: false } };
}

function dots(data, more) {
  return Object.assign({ type: "scatter", symbolSize: 8, z: 4, data }, more);
}

// One bar of treatment: pale where no stop is known or for maintenance.
function drawBar(params, api) {
  const from = api.coord([api.value(0), api.value(2)]), to = api.coord([api.value(1), api.value(2)]);
  const area = params.coordSys;
  const left = Math.max(from[0], area.x), right = Math.min(Math.max(to[0], from[0] + 3), area.x + area.width);
  if (right < area.x || left > area.x + area.width) return null;
  const shape = { x: left, y: from[1] - 5.5, width: Math.max(right - left, 2), height: 11 };
  return { type: "rect", shape, style: { fill: api.visual("color"), opacity: api.value(3) } };
}

const PANELS = {
  lanes(panel) {
    const bars = [], once = [];
    panel.lanes.forEach((lane, row) => {
      for (const bar of lane.bars) bars.push({ value: [time(bar.start), time(bar.until), row, bar.open ? 0.35 : bar.pale ? 0.6 : 1], itemStyle: { color: lane.colour }, tip: bar.tip });
      for (const mark of lane.once) once.push({ value: [time(mark.start), row], itemStyle: { color: lane.colour }, tip: mark.tip });
    });
    return { height: LANE * panel.lanes.length, y: category(panel.lanes.map((lane) => lane.name)), series: [
      { type: "custom", renderItem: drawBar, encode: { x: [0, 1], y: 2 }, data: bars, clip: true },
      dots(once, { symbol: "diamond", symbolSize: 11 })] };
  },
  marks(panel, told, scale) {
    const spans = panel.marks.map((mark) => { const x = scale(time(mark.on)); return [x, x + width(mark.text) + 10]; });
    const rows = rowsOf(spans), most = Math.max(...rows) + 1;
    const data = panel.marks.map((mark, i) => ({ value: [time(mark.on), rows[i]], itemStyle: { color: mark.colour }, tip: mark.tip,
      label: { show: true, position: spans[i][1] > scale(time(told.last)) + RIGHT ? "left" : "right", formatter: mark.text, color: mark.colour, fontSize: 11, textBorderColor: "#fff", textBorderWidth: 3 } }));
    return { height: LANE * most, y: Object.assign(category(Array.from({ length: most }, () => "")), { show: false }),
      series: [dots(data, { symbol: "rect", symbolSize: [2, 10], labelLayout: { hideOverlap: true } })] };
  },
  ladder(panel) {
    const visits = panel.visits.filter((visit) => panel.steps.includes(visit.step));
    const best = visits.filter((visit) => panel.steps.includes(visit.best)).map((visit) => [time(visit.on), visit.best]);
    const data = visits.map((visit) => {
      const [fill, edge] = panel.colours[visit.step];
      return { value: [time(visit.on), visit.step], symbol: visit.step === "PD" ? "triangle" : "rect", tip: visit.tip,
        itemStyle: { color: visit.sure ? fill : "#fff", borderColor: edge, borderWidth: 1.5 } };
    });
    return { height: LANE * panel.steps.length, y: category(panel.steps), series: [
      { type: "line", step: "end", data: best, symbol: "none", lineStyle: { color: "#b9c9d8", width: 6 }, silent: true, z: 1 }, dots(data)] };
  },
  bands(panel) {
    const data = [];
    panel.rows.forEach((row, i) => { for (const mark of row.marks) data.push({ value: [time(mark.on), i], tip: mark.tip,
      itemStyle: { color: mark.found ? INK : "#fff", borderColor: INK, borderWidth: 1 } }); });
    return { height: LANE * panel.rows.length, y: category(panel.rows.map((row) => row.name)), series: [dots(data, { symbol: "rect", symbolSize: 7 })] };
  },
  curves(panel, told, scale, words) {
    const points = panel.curves.flatMap((curve) => curve.points);
    const above = points.map((point) => point.value).filter((value) => value > 0);
    const low = Math.min(...above, Infinity), floor = above.length ? Math.pow(10, Math.floor(Math.log10(low)) - (above.length < points.length ? 1 : 0)) : 0.1;
    const top = above.length ? Math.pow(10, Math.ceil(Math.log10(Math.max(...above) * 1.01))) : 1;
    const series = panel.curves.map((curve) => ({
      type: "line", name: curve.name, z: 3, color: curve.colour, lineStyle: { width: 1.6 }, symbolSize: 6, showAllSymbol: true,
      endLabel: { show: curve.name !== "", formatter: curve.name, color: curve.colour, fontSize: 12, fontWeight: "bold", distance: 4 }, labelLayout: { moveOverlap: "shiftY" },
      data: curve.points.filter((point) => point.kind !== "spurious").map((point) => ({
        value: [time(point.on), Math.max(point.value, floor)], symbol: SHAPE[point.kind], tip: point.tip,
        symbolSize: point.kind === "value" || point.kind === "zero" ? 6 : 9 })),
    }));
    const odd = points.filter((point) => point.kind === "spurious").map((point) => ({ value: [time(point.on), Math.max(point.value, floor)], tip: point.tip }));
    if (odd.length) series.push(dots(odd, { symbol: SHAPE.spurious, itemStyle: { color: "transparent", borderColor: MUTED, borderWidth: 1.5 } }));
    const shown = (value) => above.length < points.length && value <= floor * 1.001 ? words.floor : String(+value.toPrecision(3));
    return { height: 92, y: { type: "log", min: floor, max: top, axisLabel: { fontSize: 11, color: INK, formatter: shown, hideOverlap: true }, splitLine: { lineStyle: { color: RULE } } }, series };
  },
  mrd(panel, told, scale, words) {
    const known = panel.tests.flatMap((test) => [test.share, test.limit]).filter((value) => value > 0);
    const low = Math.pow(10, Math.floor(Math.log10(Math.min(...known, 1e-6))) ), top = Math.pow(10, Math.ceil(Math.log10(Math.max(...known, 1e-4) * 1.01)));
    const power = (value) => "10" + [...String(Math.round(Math.log10(value)))].map((char) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(char)]).join("");
    const tests = panel.tests.map((test) => {
      const found = test.result === "positive", amount = test.share > 0;
      return { value: [time(test.on), amount ? test.share : test.limit || low], tip: test.tip,
        symbol: found ? (amount ? "circle" : "triangle") : SHAPE.below, symbolSize: 10,
        itemStyle: { color: found && amount ? panel.colour : "#fff", borderColor: panel.colour, borderWidth: 1.5 },
        label: { show: true, position: "top", color: INK, fontSize: 11, formatter: ({ positive: "+ ", negative: "– ", below: "< " })[test.result] + test.method } };
    });
    const limits = panel.tests.filter((test) => test.limit).map((test) => ({ value: [time(test.on), test.limit], tip: words.limit + " " + test.limit.toExponential(1) }));
    return { height: 96, y: { type: "log", min: low, max: top * 10, axisLabel: { fontSize: 11, color: INK, formatter: power, hideOverlap: true }, splitLine: { lineStyle: { color: RULE } } },
      series: [dots(limits, { symbol: "rect", symbolSize: [16, 3], itemStyle: { color: MUTED }, z: 3 }), dots(tests, { labelLayout: { hideOverlap: true } })] };
  },
};

function lineMarks(told, words, first) {
  const data = told.lines.map((line) => ({ xAxis: time(line.start), lineStyle: { color: MUTED, type: "solid", width: 1 }, label: { show: first, formatter: line.name, position: "start", color: MUTED, fontSize: 11, distance: 3 } }));
  for (const each of told.progressions) data.push({ xAxis: time(each.on), lineStyle: { color: "#c8430d", type: each.sure ? "solid" : "dashed", width: 1 }, label: { show: first, formatter: "PD", position: "start", color: "#c8430d", fontSize: 11, distance: 14 } });
  if (told.died) data.push({ xAxis: time(told.died), lineStyle: { color: INK, width: 2, type: "solid" }, label: { show: first, formatter: words.died, position: "start", color: INK, fontSize: 11 } });
  return { silent: true, symbol: "none", animation: false, data };
}

function option(told, words, wide) {
  const left = wide < 560 ? 92 : LEFT;
  const from = time(told.first), to = time(told.last), margin = Math.max(10 * DAY, 0.03 * (to - from));
  const scale = (at) => left + (wide - left - RIGHT) * (at - from + margin) / (to - from + 2 * margin);
  const made = { grid: [], xAxis: [], yAxis: [], series: [], title: [] };
  let top = HEAD + 18;
  told.panels.forEach((panel, i) => {
    const drawn = PANELS[panel.kind](panel, told, scale, words);
    const last = i === told.panels.length - 1;
    if (drawn.y.axisLabel && drawn.y.type === "category") drawn.y.axisLabel.width = left - 12;
    made.grid.push({ left, right: RIGHT, top, height: drawn.height });
    made.title.push({ text: upper(panel.name) + (panel.unit ? "  " + panel.unit : ""), left: 0, top: top - 27, textStyle: { fontSize: 12, fontWeight: 600, color: INK } });
    made.xAxis.push({ type: "time", gridIndex: i, min: from - margin, max: to + margin, axisLabel: { show: last, fontSize: 11, color: INK, hideOverlap: true },
      axisTick: { show: last }, axisLine: { lineStyle: { color: RULE }, onZero: false }, splitLine: { show: false } });
    made.yAxis.push(Object.assign({ gridIndex: i }, drawn.y));
    drawn.series.forEach((each, k) => made.series.push(Object.assign({ xAxisIndex: i, yAxisIndex: i, animation: false }, each, k === 0 ? { markLine: lineMarks(told, words, i === 0) } : {})));
    top += drawn.height + GAP;
  });
  const all = told.panels.map((_, i) => i);
  made.dataZoom = [{ type: "slider", xAxisIndex: all, top: top - 2, height: 20, left, right: RIGHT, filterMode: "none", showDetail: false, brushSelect: false },
    { type: "inside", xAxisIndex: all, filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false }];
  made.tooltip = { renderMode: "richText", confine: true, formatter: (at) => (at.data && at.data.tip) || "" };
  made.aria = { enabled: false };
  made.textStyle = { fontFamily: getComputedStyle(document.body).fontFamily };
  return [made, top + 34];
}

async function drawCourse(place) {
  const told = await (await fetch(place.dataset.source)).json();
  const words = JSON.parse(place.dataset.words);
  const chart = echarts.init(place, null, { renderer: "svg", locale: words.locale, height: 300 });
  const whole = [time(told.first), time(told.last)];
  const margin = Math.max(10 * DAY, 0.03 * (whole[1] - whole[0]));
  let [from, to] = [whole[0] - margin, whole[1] + margin];

  function draw() {
    const [made, high] = option(told, words, place.clientWidth);
    chart.resize({ width: place.clientWidth, height: high });
    chart.setOption(made, true);
    place.querySelector("svg").setAttribute("viewBox", `0 0 ${place.clientWidth} ${high}`); // so that it shrinks to a printed page
    show();
  }
  function show() {
    chart.dispatchAction({ type: "dataZoom", dataZoomIndex: 0, startValue: from, endValue: to });
  }
  const zoom = document.getElementById("course-zoom");
  zoom.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.step) {
      const by = (to - from) / 2 * Number(button.dataset.step);
      const held = Math.max(whole[0] - margin - from, Math.min(by, whole[1] + margin - to));
      [from, to] = [from + held, to + held];
    } else {
      const months = Number(button.dataset.months);
      to = whole[1] + margin;
      from = months ? Math.max(whole[0] - margin, to - months * 30.44 * DAY) : whole[0] - margin;
      for (const each of zoom.querySelectorAll("[data-months]")) each.setAttribute("aria-pressed", String(each === button));
    }
    place.dataset.from = day(from);
    place.dataset.to = day(to);
    show();
  });
  window.addEventListener("resize", draw);
  draw();
  place.dataset.drawn = "yes";
}

document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("course");
  if (place) drawCourse(place);
});
