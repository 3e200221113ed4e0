// Edges below the points: of the selection, or of all that are drawn, a random part of them where they are many.

const MOST_EDGES = 20000;
const SHADES = 4; // opacities that weights are rounded to

let showEdges = false;
const hiddenEdges = new Set(); // keys of the sources whose edges are switched off
let drawnEdges = { shown: null, selected: null, now: null, parts: [] };
let edgeImage = null; // the edges as they were drawn last, and where the map was then

// All edges once, by source: Map key -> [a, b, weight, a, b, weight, ...]; of nodes that move, who shares events in the
// window. Weights are shares of the largest.
function allEdges(keep) {
  const found = new Map();
  const add = (key, a, b, weight) => {
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(a, b, weight);
  };
  if (time?.contacts) {
    const { ptr, node, count } = time.contacts;
    for (let row = time.ptr[time.now]; row < time.ptr[time.now + 1]; row++) {
      const a = time.node[row];
      for (let i = ptr[row]; i < ptr[row + 1]; i++) if (a < node[i] && keep(a, node[i])) add(CONTACTS.key, a, node[i], Math.min(count[i] / 4, 1));
    }
  } else if (merged) {
    const keys = Object.fromEntries(SOURCES.map(({ bits, key }) => [bits, key]));
    for (let a = 0; a < n; a++) {
      for (let i = merged.start[a]; i < merged.start[a + 1]; i++) {
        const b = merged.node[i];
        if (a < b && keep(a, b)) add(keys[merged.bits[i]], a, b, merged.weight[i] / 65535);
      }
    }
  }
  return found;
}

// What is drawn: of many edges a part at random, with a fixed seed, the same share of each source.
function someEdges() {
  const visible = new Uint8Array(n);
  for (const node of shown) visible[node] = 1;
  const { selected } = state;
  const found = [...allEdges((a, b) => visible[a] && visible[b] && (!selected || selected[a] || selected[b]))];
  const wanted = found.filter(([key]) => !hiddenEdges.has(key));
  const share = MOST_EDGES / (wanted.reduce((sum, [, list]) => sum + list.length / 3, 0) || 1);
  let seed = 1;
  const luck = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const parts = found.map(([key, list]) => {
    const kept = [];
    if (!hiddenEdges.has(key)) for (let i = 0; i < list.length; i += 3) if (share >= 1 || luck() < share) kept.push(list[i], list[i + 1], list[i + 2]);
    return { key, list: kept, total: list.length / 3 };
  });
  // The rarer source lies above the others.
  return { shown, selected, now: time && time.now, parts: parts.sort((a, b) => b.total - a.total) };
}

function currentEdges() {
  const now = time && time.now;
  if (drawnEdges.shown !== shown || drawnEdges.selected !== state.selected || drawnEdges.now !== now) {
    drawnEdges = someEdges();
    renderEdges();
  }
  return drawnEdges;
}

const sourceOf = (key) => (time?.contacts ? CONTACTS : SOURCES.find((one) => one.key === key));

// How many edges there are of each source, and which part is drawn; a click switches a source off.
function renderEdges() {
  const { parts } = drawnEdges;
  const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);
  const wanted = sum(parts.filter(({ key }) => !hiddenEdges.has(key)).map(({ total }) => total));
  const count = sum(parts.map(({ list }) => list.length / 3));
  const of = state.selected ? 'of the selection' : time ? 'of this window' : 'of the points on the map';
  const part = count < wanted ? `${count.toLocaleString('en')} of ${wanted.toLocaleString('en')} edges ${of}, drawn at random` : `Edges ${of}`;
  const rows = parts.map(({ key, total }) => {
    const source = sourceOf(key);
    const row = make('button', { type: 'button', className: 'row', title: 'Click: show or hide', 'aria-pressed': String(!hiddenEdges.has(key)) },
      make('i', { className: 'stroke solid', style: { borderColor: `var(--${key})` } }),
      make('span', { className: 'name', textContent: source.title }),
      make('span', { className: 'more', textContent: total.toLocaleString('en') }));
    row.addEventListener('click', () => {
      if (!hiddenEdges.delete(key)) hiddenEdges.add(key);
      drawnEdges.shown = null;
      repaint();
    });
    return row;
  });
  const box = find('edge-key');
  const focused = [...box.querySelectorAll('button')].indexOf(document.activeElement);
  box.hidden = !showEdges;
  box.replaceChildren(make('p', { className: 'about', textContent: part }), ...rows);
  if (focused >= 0) box.querySelectorAll('button')[focused]?.focus();
}

function strokeEdges(pen, { parts }, width, height) {
  const count = parts.reduce((sum, { list }) => sum + list.length / 3, 0);
  const strongest = Math.min(Math.max(12 / Math.sqrt(count || 1), 0.1), 0.7);
  pen.lineWidth = 1;
  for (const { key, list } of parts) {
    pen.strokeStyle = cssVariable(key);
    for (let shade = 0; shade < SHADES; shade++) {
      pen.globalAlpha = strongest * (0.3 + (0.7 * shade) / (SHADES - 1));
      for (let i = 0; i < list.length; i += 3) {
        if (Math.min(Math.floor(list[i + 2] * SHADES), SHADES - 1) !== shade) continue;
        const [ax, ay] = toPixel(list[i]);
        const [bx, by] = toPixel(list[i + 1]);
        if ((ax < 0 && bx < 0) || (ay < 0 && by < 0) || (ax > width && bx > width) || (ay > height && by > height)) continue;
        // A stroke each: lines that cross add up.
        pen.beginPath();
        pen.moveTo(ax, ay);
        pen.lineTo(bx, by);
        pen.stroke();
      }
    }
  }
  pen.globalAlpha = 1;
}

// While the map moves, the edges that were drawn last move along; at rest they are drawn anew if anything has changed.
function drawEdges(pen, width, height) {
  const ratio = pen.getTransform().a;
  if (moving) {
    if (!edgeImage || edgeImage.edges.shown !== shown) return;
  } else {
    const edges = currentEdges();
    const now = { edges, ratio, width, height, x: view.x, y: view.y, unit: view.unit, dark: isDark() };
    if (!edgeImage || Object.keys(now).some((key) => now[key] !== edgeImage[key])) {
      const sheet = make('canvas', { width: Math.round(width * ratio), height: Math.round(height * ratio) });
      const own = sheet.getContext('2d');
      own.scale(ratio, ratio);
      strokeEdges(own, edges, width, height);
      edgeImage = { ...now, sheet };
    }
  }
  const factor = edgeImage.unit / view.unit;
  const [cx, cy] = toPixels(edgeImage.x, edgeImage.y);
  const [w, h] = [edgeImage.width * factor, edgeImage.height * factor];
  pen.drawImage(edgeImage.sheet, cx - w / 2, cy - h / 2, w, h);
}

function setEdges(on) {
  showEdges = on;
  find('edges').checked = on;
  layers.under = on ? [drawEdges] : [];
  if (on) currentEdges();
  renderEdges();
  repaint();
}
