// The points, drawn by plotly's WebGL scatter; what is drawn over them is in overlay.js.

const plot = find('plot');
const order = shuffled(n); // no class covers another because it comes last
let shown = order; // nodes in the order they are drawn
let home = null; // ranges that show everything

// A fixed random order.
function shuffled(count) {
  const nodes = new Uint32Array(count);
  for (let i = 0; i < count; i++) nodes[i] = i;
  let seed = 1;
  for (let i = count - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((seed / 2 ** 32) * (i + 1));
    [nodes[i], nodes[j]] = [nodes[j], nodes[i]];
  }
  return nodes;
}

function extent(nodes, px = x, py = y) {
  const box = [Infinity, -Infinity, Infinity, -Infinity];
  for (const node of nodes) {
    box[0] = Math.min(box[0], px[node]);
    box[1] = Math.max(box[1], px[node]);
    box[2] = Math.min(box[2], py[node]);
    box[3] = Math.max(box[3], py[node]);
  }
  return box;
}

// Of all points, in all windows of time.
const everything = () => (time ? extent(time.x.keys(), time.x, time.y) : extent(order));

// Ranges of both axes that hold a box, with a margin, in the shape of the window.
function framed([left, right, bottom, top], margin = 0.05) {
  const width = plot.clientWidth || 1;
  const height = plot.clientHeight || 1;
  const unit = Math.max((right - left) / width, (top - bottom) / height) * (1 + 2 * margin) || 1 / width;
  const [cx, cy] = [(left + right) / 2, (bottom + top) / 2];
  return { x: [cx - (unit * width) / 2, cx + (unit * width) / 2], y: [cy - (unit * height) / 2, cy + (unit * height) / 2] };
}

function isShown(node) {
  const column = state.column;
  if (time && time.last[node] < 0) return false;
  return !column || !column.names || !column.hidden.has(column.values[node]);
}

// Points grow as one comes closer, more slowly than the distances between them do.
function pointSize() {
  if (!plot.layout || !home) return data.style.size;
  const zoom = (home.x[1] - home.x[0]) / (plot.layout.xaxis.range[1] - plot.layout.xaxis.range[0]);
  return Math.min(data.style.size * 2 ** (0.5 * Math.max(Math.round(Math.log2(zoom)), 0)), 14);
}

function traces() {
  shown = time || (state.column && state.column.hidden.size) ? order.filter(isShown) : order;
  const paint = painter(state.column);
  const [px, py, colours] = [new Float32Array(shown.length), new Float32Array(shown.length), new Array(shown.length)];
  for (let i = 0; i < shown.length; i++) {
    const node = shown[i];
    px[i] = x[node];
    py[i] = y[node];
    colours[i] = paint(node);
    if (state.selected && !state.selected[node]) colours[i] += FADED;
    else if (time && !time.active[node]) colours[i] += INACTIVE;
  }
  const marker = { color: colours, size: pointSize(), opacity: data.style.opacity, line: { width: 0 } };
  return [{ type: 'scattergl', mode: 'markers', x: px, y: py, hoverinfo: 'none', marker }];
}

function layout() {
  const axis = { visible: false, fixedrange: false };
  return {
    margin: { l: 0, r: 0, t: 0, b: 0 },
    xaxis: { ...axis, range: home.x.slice() },
    yaxis: { ...axis, range: home.y.slice(), scaleanchor: 'x' },
    dragmode: 'pan',
    hovermode: time ? false : 'closest',
    hoverdistance: 14,
    showlegend: false,
    autosize: true,
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
  };
}

// plotly draws at twice the screen's resolution unless told otherwise: four times the pixels.
const CONFIG = { plotGlPixelRatio: window.devicePixelRatio || 1, displayModeBar: false, scrollZoom: true, responsive: true, doubleClick: false, showTips: false };

async function draw() {
  home = home || framed(everything());
  await Plotly.react(plot, traces(), plot.layout || layout(), CONFIG);
  const part = shown.length === n ? '' : ` of ${n.toLocaleString('en')}`;
  const active = time ? `${shown.reduce((sum, node) => sum + time.active[node], 0).toLocaleString('en')} active, ` : '';
  find('status').textContent = `${active}${shown.length.toLocaleString('en')}${part} points`;
}

let resizing = 0;

// The size of points follows the zoom once it rests.
function resizePoints() {
  clearTimeout(resizing);
  resizing = setTimeout(() => {
    if (pointSize() !== plot.data[0].marker.size) Plotly.restyle(plot, { 'marker.size': pointSize() });
  }, 150);
}

function look(ranges) {
  return Plotly.relayout(plot, { 'xaxis.range': ranges.x, 'yaxis.range': ranges.y });
}

function showAll() {
  home = framed(everything());
  return look(home);
}

function zoomBy(factor) {
  const scaled = ([low, high]) => [(low + high) / 2 - (high - low) / 2 / factor, (low + high) / 2 + (high - low) / 2 / factor];
  return look({ x: scaled(plot.layout.xaxis.range), y: scaled(plot.layout.yaxis.range) });
}

// Move so that a node can be seen, if it cannot.
function reveal(node) {
  const [px, py] = toPixel(node);
  const margin = 24;
  if (px > margin && py > margin && px < plot.clientWidth - margin && py < plot.clientHeight - margin) return;
  const around = (range, at) => [at - (range[1] - range[0]) / 2, at + (range[1] - range[0]) / 2];
  look({ x: around(plot.layout.xaxis.range, x[node]), y: around(plot.layout.yaxis.range, y[node]) });
}

function zoomTo(nodes) {
  const box = extent(nodes);
  const least = (home.x[1] - home.x[0]) / 60;
  const grown = (low, high) => (high - low < least ? [(low + high - least) / 2, (low + high + least) / 2] : [low, high]);
  look(framed([...grown(box[0], box[1]), ...grown(box[2], box[3])], 0.25));
}

function hasWebGL() {
  const context = document.createElement('canvas').getContext('webgl');
  if (context) context.getExtension('WEBGL_lose_context')?.loseContext();
  return Boolean(context);
}
