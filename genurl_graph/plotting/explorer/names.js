// Names on the map: of the categories, each where its points lie densest, and from close by of the points.

const CELLS = 64; // of the grid that finds the place, along an axis
const MOST_NAMES = 40;
const FEW = 250; // of many categories, those with fewer than one point in so many are not named
const WIDEST = 22; // letters in a line of a name
const HALO = 3.5;
const MOST_IDS = 120; // points in sight up to which they are named
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const RESTING = 0.1; // weight of a node that is not active in the window

let named = { shown: null, column: null, dark: null, list: [] };
let showNames = true;

// Where each category is written: [{px, py in data units, sprite}], the largest first.
function placeNames() {
  const column = state.column;
  const { order: codes, counts } = legend(column);
  // Among many categories, one of a few points is no landmark.
  const least = codes.length > PALETTE.length ? n / FEW : 1;
  const sorted = codes.filter((code) => counts[code] >= least).sort((a, b) => counts[b] - counts[a]);
  const wanted = new Map(sorted.slice(0, MOST_NAMES).map((code, place) => [code, place]));
  const [left, right, bottom, top] = extent(shown);
  const side = Math.max(right - left, top - bottom) / CELLS || 1;
  const cellOf = (node) => Math.min(Math.floor((y[node] - bottom) / side), CELLS - 1) * CELLS + Math.min(Math.floor((x[node] - left) / side), CELLS - 1);
  const all = new Float32Array(CELLS * CELLS);
  const own = Array.from(wanted, () => new Float32Array(CELLS * CELLS));
  for (const node of shown) {
    const cell = cellOf(node);
    const weight = time && !time.active[node] ? RESTING : 1;
    all[cell] += weight;
    const place = wanted.get(column.values[node]);
    if (place !== undefined) own[place][cell] += weight;
  }
  const total = blurred(blurred(all));
  const list = [];
  for (const [code, place] of wanted) {
    const density = blurred(blurred(own[place]));
    // Dense, and its own: where another category prevails, that one's name stands.
    let best = 0;
    let peak = -1;
    for (let cell = 0; cell < density.length; cell++) {
      const score = density[cell] ** 2 / (total[cell] || 1);
      if (score > best) [best, peak] = [score, cell];
    }
    if (peak < 0) continue;
    const [row, col] = [Math.floor(peak / CELLS), peak % CELLS];
    list.push({ code, px: left + (col + 0.5) * side, py: bottom + (row + 0.5) * side, sprite: nameSprite(column.names[code]) });
  }
  return list;
}

// Sums over 5 x 5 cells.
function blurred(grid) {
  const sum = (from, step) => {
    const found = new Float32Array(grid.length);
    for (let cell = 0; cell < grid.length; cell++) {
      const at = step === 1 ? cell % CELLS : Math.floor(cell / CELLS);
      for (let d = Math.max(-2, -at); d <= Math.min(2, CELLS - 1 - at); d++) found[cell] += from[cell + d * step];
    }
    return found;
  };
  return sum(sum(grid, 1), CELLS);
}

const cut = (line) => (line.length > WIDEST + 6 ? `${line.slice(0, WIDEST + 5)}…` : line);

// A name in lines of a few words each.
function linesOf(name) {
  const lines = [''];
  for (const word of name.split(/\s+/)) {
    const last = lines[lines.length - 1];
    if (last && last.length + word.length >= WIDEST) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return (lines.length > 3 ? [...lines.slice(0, 2), `${lines[2]} …`] : lines).map(cut);
}

// The name as an image: to copy one is faster than to write it in every frame.
function nameSprite(name) {
  const ratio = 2 * (window.devicePixelRatio || 1);
  const lines = linesOf(name);
  const canvas = make('canvas');
  const font = `600 13px ${FONT}`;
  let context = canvas.getContext('2d');
  context.font = font;
  const width = Math.max(...lines.map((line) => context.measureText(line).width)) + 2 * HALO;
  const height = 16 * lines.length + 2 * HALO;
  [canvas.width, canvas.height] = [Math.ceil(width * ratio), Math.ceil(height * ratio)];
  context.scale(ratio, ratio);
  Object.assign(context, { font, textAlign: 'center', textBaseline: 'middle', lineJoin: 'round', lineWidth: 2 * HALO, strokeStyle: cssVariable('paper'), fillStyle: cssVariable('ink') });
  lines.forEach((line, i) => context.strokeText(line, width / 2, HALO + 16 * i + 8));
  lines.forEach((line, i) => context.fillText(line, width / 2, HALO + 16 * i + 8));
  return { canvas, width, height };
}

const overlaps = (box, other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3];

// Larger categories first; a name that would cover another one is left out until one comes closer.
function drawNames(pen, width, height) {
  if (!showNames) return;
  const taken = [];
  if (state.column?.names) drawCategories(pen, width, height, taken);
  if (data.ids && !showImages) drawIds(pen, width, height, taken);
}

function drawCategories(pen, width, height, taken) {
  const { column } = state;
  if (named.shown !== shown || named.column !== column || named.dark !== isDark()) named = { shown, column, dark: isDark(), list: placeNames() };
  for (const { px, py, sprite } of named.list) {
    const [cx, cy] = toPixels(px, py);
    const box = [cx - sprite.width / 2, cy - sprite.height / 2, cx + sprite.width / 2, cy + sprite.height / 2];
    if (!overlaps(box, [0, 0, width, height]) || taken.some((other) => overlaps(box, other))) continue;
    taken.push(box);
    pen.drawImage(sprite.canvas, box[0], box[1], sprite.width, sprite.height);
  }
}

// Where few points are in sight, their own names beside them, as many as have room.
function drawIds(pen, width, height, taken) {
  const near = [];
  for (const node of shown) {
    const [px, py] = toPixel(node);
    if (px < 0 || py < 0 || px > width || py > height) continue;
    if (near.length === MOST_IDS) return;
    near.push([node, px, py]);
  }
  Object.assign(pen, { font: `11.5px ${FONT}`, textBaseline: 'middle', lineJoin: 'round', lineWidth: 2 * HALO, strokeStyle: cssVariable('paper'), fillStyle: cssVariable('soft') });
  const sizes = diameters();
  for (const [node, px, py] of near) {
    const text = cut(idOf(node));
    const left = px + sizes[level ? level[node] : 0] / 2 + 4;
    const box = [left, py - 8, left + pen.measureText(text).width, py + 8];
    if (taken.some((other) => overlaps(box, other))) continue;
    taken.push(box);
    pen.strokeText(text, left, py);
    pen.fillText(text, left, py);
  }
}

function setNames(on) {
  showNames = on;
  find('names').checked = on;
  repaint();
}
