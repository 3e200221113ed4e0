// The points: which are drawn, in which order, colours and sizes.

const order = shuffled(n); // no class covers another because it comes last
const LEVELS = 24; // sizes that points of one map may have
const BANDS = 32;
const SMALLEST = 0.3; // as multiples of the common size
const LARGEST_SCALE = 8;
let shown = order; // drawn nodes in that order: any beginning of it is a fair sample
let sequence = order; // the same nodes as they are drawn, the last on top
const colours = new Uint32Array(n); // 0xaabbggrr, before the opacity that all have in common
let level = null; // Uint8Array [n]: which size each has; null: all the common one

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

function isShown(node) {
  if (time && time.last[node] < 0) return false;
  if (state.passes && !state.passes[node]) return false;
  const column = state.column;
  return !column || !column.names || !column.hidden.has(column.values[node]);
}

const isFaded = (node) => Boolean((state.selected && !state.selected[node]) || (time && !time.active[node]));

// '#rrggbb' or '#rrggbbaa' as a number 0xaabbggrr.
function packed(colour) {
  const value = parseInt(colour.slice(1).padEnd(8, 'f'), 16);
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

function withAlpha(colour, alpha) {
  return ((Math.round((colour >>> 24) * alpha) << 24) | (colour & 0xffffff)) >>> 0;
}

// Colours of all points that are shown, by the column, the selection and the window of time.
function paintColours() {
  const paint = painter(state.column);
  const known = new Map(); // few colours come often
  for (const node of shown) {
    const colour = paint(node);
    let found = known.get(colour);
    if (!found) {
      const full = packed(colour);
      found = [full, withAlpha(full, parseInt(FADED, 16) / 255), withAlpha(full, time ? parseInt(INACTIVE, 16) / 255 : 1)];
      known.set(colour, found);
    }
    colours[node] = found[state.selected && !state.selected[node] ? 1 : time && !time.active[node] ? 2 : 0];
  }
}

// Sizes are rounded to a few, a fixed factor apart.
const factor = (one) => SMALLEST * (LARGEST_SCALE / SMALLEST) ** (one / (LEVELS - 1));

function layOutSizes() {
  level = null;
  if (!state.scale) return;
  level = new Uint8Array(n);
  const steps = (LEVELS - 1) / Math.log(LARGEST_SCALE / SMALLEST);
  for (const node of shown) {
    const scale = Math.min(Math.max(state.scale[node], SMALLEST), LARGEST_SCALE);
    level[node] = Math.round(Math.log(scale / SMALLEST) * steps);
  }
}

// Diameters in CSS pixels, one a level.
function diameters() {
  const common = pointDiameter();
  return level ? Array.from({ length: LEVELS }, (_, one) => Math.min(Math.max(common * factor(one), 1), 80)) : [common];
}

// Faded points below the others, large ones below small ones. Within each of these groups they go from the bottom of the map to its top,
// band by band, so that the pixels of one band stay in the processor's cache, and within a band the random order stays.
function layOutSequence() {
  const [low, high] = [home.y - (home.unit * plot.clientHeight) / 2, home.unit * plot.clientHeight];
  const band = (node) => Math.min(Math.max(Math.floor(((y[node] - low) / high) * BANDS), 0), BANDS - 1);
  const group = (node) => ((isFaded(node) ? 0 : LEVELS) + (level ? LEVELS - 1 - level[node] : 0)) * BANDS + band(node);
  const groups = Uint16Array.from(shown, group);
  const begin = new Uint32Array(2 * LEVELS * BANDS + 1);
  for (const one of groups) begin[one + 1] += 1;
  for (let i = 1; i < begin.length; i++) begin[i] += begin[i - 1];
  sequence = new Uint32Array(shown.length);
  for (let i = 0; i < shown.length; i++) sequence[begin[groups[i]]++] = shown[i];
}

// Everything anew: after a change of column, legend, filter, selection, size or window of time.
function draw() {
  prepare();
  return repaint();
}

function prepare() {
  shown = time || state.passes || state.column?.hidden.size ? order.filter(isShown) : order;
  paintColours();
  layOutSizes();
  layOutSequence();
  const part = shown.length === n ? '' : ` of ${n.toLocaleString('en')}`;
  const active = time ? `${shown.reduce((sum, node) => sum + time.active[node], 0).toLocaleString('en')} active, ` : '';
  find('status').textContent = `${active}${shown.length.toLocaleString('en')}${part} point${n === 1 ? '' : 's'}`;
}

// The drawn point nearest to a pixel, or -1: within reach, or that covers the pixel. Resting points count as three pixels farther.
function pick(px, py, reach = 14) {
  const [wantedX, wantedY] = toData(px, py);
  const within = (pixels) => (pixels * view.unit) ** 2;
  const reaches = diameters().map((diameter) => within(Math.max(reach, diameter / 2)));
  let best = -1;
  let least = Infinity;
  for (const node of shown) {
    let away = (x[node] - wantedX) ** 2 + (y[node] - wantedY) ** 2;
    if (away >= least || away >= reaches[level ? level[node] : 0]) continue;
    if (time && !time.active[node]) away = within(Math.sqrt(away) / view.unit + 3);
    if (away < least) [best, least] = [node, away];
  }
  return best;
}

// What is drawn now, as tests read it.
function drawn() {
  const [sizes, opacity] = [diameters(), pointOpacity()];
  const part = (node, bits) => ((withAlpha(colours[node], opacity) >>> bits) & 0xff).toString(16).padStart(2, '0');
  return Array.from(sequence, (node) => ({
    node,
    x: x[node],
    y: y[node],
    colour: '#' + [0, 8, 16, 24].map((bits) => part(node, bits)).join(''),
    size: sizes[level ? level[node] : 0],
  }));
}
