// Points that move with time: where each is in the window that is shown, and the slider.

const time = data.time && {
  ...data.time,
  ...Object.fromEntries(['ptr', 'node', 'x', 'y'].map((key) => [key, decode(data.time[key])])),
};
data.time = null;
if (time && time.contacts) for (const key of ['ptr', 'node', 'count']) time.contacts[key] = decode(time.contacts[key]);
const INACTIVE = '38'; // opacity of a node without an event in the window, in hexadecimal digits

if (time) {
  time.windows = time.ptr.length - 1;
  time.now = time.windows - 1; // the window that is shown, or moved to
  time.last = new Int32Array(n); // row of each node, in this window or the last before it that has one; -1: none yet
  time.active = new Uint8Array(n);
  time.windowOf = new Uint32Array(time.node.length);
  for (let w = 0; w < time.windows; w++) time.windowOf.fill(w, time.ptr[w], time.ptr[w + 1]);
  time.first = new Int32Array(n);
  for (let row = time.node.length - 1; row >= 0; row--) time.first[time.node[row]] = row;
  // Columns of rows show what holds in this window.
  for (const column of columns.filter((one) => one.rows)) {
    column.all = column.values;
    column.values = new column.all.constructor(n);
  }
  locate(time.now);
}

// Which row of each node holds in a window.
function locate(now) {
  time.now = now;
  time.last.fill(-1);
  time.active.fill(0);
  for (let row = 0; row < time.ptr[now + 1]; row++) time.last[time.node[row]] = row;
  for (let row = time.ptr[now]; row < time.ptr[now + 1]; row++) time.active[time.node[row]] = 1;
  for (const column of columns.filter((one) => one.all)) {
    const unknown = column.names ? column.names.length : NaN;
    for (let node = 0; node < n; node++) column.values[node] = time.last[node] < 0 ? unknown : column.all[time.last[node]];
    if (column.legend) column.legend.counts = countCodes(column.values, column.names.length);
  }
}

// The row whose place a node has: that of the first window for one that is not there yet.
const rowOf = (node) => (time.last[node] < 0 ? time.first[node] : time.last[node]);

function nearestOf(node) {
  const row = time ? time.last[node] : node;
  if (row < 0) return [];
  // In windows with few nodes the node itself fills the list.
  return Array.from(nearest.node.subarray(row * nearest.k, (row + 1) * nearest.k)).filter((other) => other !== node);
}

function contactsOf(node) {
  const row = time.last[node];
  const [low, high] = row < 0 ? [0, 0] : [time.contacts.ptr[row], time.contacts.ptr[row + 1]];
  return { nodes: Array.from(time.contacts.node.subarray(low, high)), weights: Array.from(time.contacts.count.subarray(low, high)) };
}

const windowName = (w) => `Window ${w}: ${time.names[w]} to ${time.names[w + 1]}`;

function nameWindow(now) {
  slider.value = String(now);
  slider.setAttribute('aria-valuetext', windowName(now));
  find('when').replaceChildren(make('strong', { textContent: `Window ${now}` }), windowName(now).slice(`Window ${now}:`.length));
  [...find('activity').children].forEach((bar, w) => bar.classList.toggle('now', w === now));
}

// What a node does in the window that is shown.
function presence(node) {
  if (time.active[node]) return 'Active in this window';
  if (time.last[node] < 0) return `First seen in window ${time.windowOf[time.first[node]]}`;
  return `Last seen in window ${time.windowOf[time.last[node]]}`;
}

const still = matchMedia('(prefers-reduced-motion: reduce)');
const slider = find('window');
let playing = false;
let moves = 0; // counted: a move that is not the last one ends

// A window lasts a second, less where a play would take longer than twenty.
const beat = () => Math.min(1000, Math.max(20000 / time.windows, 250));

// Show a window; points move there from wherever they are.
async function showWindow(now, milliseconds = 350) {
  const own = ++moves;
  const from = [x.slice(), y.slice()];
  const before = Uint8Array.from(time.last, (row) => (row >= 0 ? 1 : 0));
  locate(now);
  updateFilters();
  updateSizes();
  nameWindow(now);
  hideTip();
  // Nodes that come in begin where they are.
  for (let node = 0; node < n; node++) {
    if (before[node]) continue;
    from[0][node] = time.x[rowOf(node)];
    from[1][node] = time.y[rowOf(node)];
  }
  if (!still.matches && milliseconds > 0) {
    place(from, 0);
    await draw();
    setMoving(true);
    const begin = performance.now();
    let share = 0;
    while (share < 1) {
      if (own !== moves) return false;
      share = Math.min((performance.now() - begin) / milliseconds, 1);
      place(from, share * share * (3 - 2 * share));
      await repaint();
    }
    if (own !== moves) return false;
    setMoving(false);
  }
  place(from, 1);
  await draw();
  if (own !== moves) return false;
  refresh();
  return true;
}

// Points on their way from where they were to where they are in the window.
function place(from, share) {
  for (let node = 0; node < n; node++) {
    const row = rowOf(node);
    x[node] = share === 1 ? time.x[row] : from[0][node] + share * (time.x[row] - from[0][node]);
    y[node] = share === 1 ? time.y[row] : from[1][node] + share * (time.y[row] - from[1][node]);
  }
}

// What stands beside the map, once the points are there.
function refresh() {
  refreshCounts();
  if (state.selected) renderSelection();
  if (state.node >= 0) {
    const top = find('scroll').scrollTop;
    renderCard();
    find('scroll').scrollTop = top;
  }
  drawOverlay();
}

async function play() {
  setPlaying(!playing);
  if (!playing) return;
  if (time.now === time.windows - 1 && !(await showWindow(0))) return;
  while (playing && time.now < time.windows - 1) {
    await new Promise((resolve) => setTimeout(resolve, 0.3 * beat()));
    if (!playing || !(await showWindow(time.now + 1, 0.7 * beat()))) break;
  }
  setPlaying(false);
}

function setPlaying(on) {
  playing = on;
  find('play').setAttribute('aria-pressed', String(on));
  find('play').title = on ? 'Pause (Space)' : 'Play (Space)';
  find('play').querySelector('span').textContent = on ? 'Pause' : 'Play';
}

// By hand: a play that runs ends.
function turnTo(now) {
  setPlaying(false);
  if (now >= 0 && now < time.windows) showWindow(now);
}

// The bar below the map: how many nodes are active in each window, the slider, play.
function fillTimeBar() {
  find('stage').classList.add('moving');
  find('time').hidden = false;
  slider.max = String(time.windows - 1);
  slider.disabled = time.windows < 2;
  find('play').disabled = time.windows < 2;
  const counts = Array.from({ length: time.windows }, (_, w) => time.ptr[w + 1] - time.ptr[w]);
  const most = Math.max(...counts);
  find('activity').append(...counts.map((count, w) => make('i', {
    title: `${windowName(w)}, ${count.toLocaleString('en')} active`,
    style: { height: `${Math.max((100 * count) / most, count ? 4 : 0)}%`, left: `calc(8px + (100% - 16px) * ${w / Math.max(time.windows - 1, 1)})`, width: `${70 / time.windows}%` },
  })));
  find('play').addEventListener('click', play);
  slider.addEventListener('input', () => turnTo(Number(slider.value)));
  nameWindow(time.now);
}

// The way of a node up to now, the older the fainter.
function drawWay(pen, node) {
  const rows = [];
  for (let row = 0; row <= time.last[node]; row++) if (time.node[row] === node) rows.push(row);
  // The last step ends where the point is at this moment.
  const stops = rows.map((row, i) => (i === rows.length - 1 ? toPixel(node) : toPixels(time.x[row], time.y[row])));
  pen.strokeStyle = pen.fillStyle = cssVariable('ink');
  pen.lineWidth = 1.6;
  for (let i = 1; i < stops.length; i++) {
    pen.globalAlpha = 0.2 + 0.6 * (i / (stops.length - 1));
    pen.beginPath();
    pen.moveTo(...stops[i - 1]);
    pen.lineTo(...stops[i]);
    pen.stroke();
    pen.beginPath();
    pen.arc(...stops[i - 1], 2.4, 0, 2 * Math.PI);
    pen.fill();
  }
  pen.globalAlpha = 1;
}
