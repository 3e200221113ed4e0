// What the colours mean: a legend whose entries can be switched off, or a colour bar whose ends can be moved.

const LISTED = 200; // categories listed at first
const LONG = 17; // letters beyond which names get a line of their own
const BINS = 48;
const FINE = 500; // steps of a slider

function chooseColumn(column) {
  state.column = column;
  find('colour').value = String(columns.indexOf(column));
  renderKey();
  renderCard();
  if (state.selected) renderSelection();
  return draw();
}

function renderKey(listed = LISTED) {
  const column = state.column;
  const log = column && !column.names && ends(column).add !== null;
  find('about').textContent = column ? column.about + (log ? ' (logarithmic scale)' : '') : 'One colour: there is nothing to colour by.';
  find('key').classList.toggle('legend', Boolean(column && column.names));
  find('key').classList.toggle('long', Boolean(column && column.names && column.names.some((name) => name.length > LONG)));
  find('key').replaceChildren(...(column ? (column.names ? renderLegend(column, listed) : renderBar(column)) : []));
}

function renderLegend(column, most) {
  const { order, counts, colours } = legend(column);
  const unknown = column.names.length;
  const listed = [...order.slice(0, most), ...(counts[unknown] ? [unknown] : [])];
  const rows = listed.map((code) => {
    const row = make('button', { type: 'button', className: 'row', title: 'Click: show or hide; double-click or Shift: only this one', 'aria-pressed': String(!column.hidden.has(code)), 'data-code': String(code) },
      dot(colours[code] || cssVariable('missing')),
      make('span', { className: 'name', textContent: code === unknown ? 'unknown' : column.names[code] }),
      make('span', { className: 'more', textContent: counts[code].toLocaleString('en') }));
    row.addEventListener('click', (event) => (event.shiftKey ? showOnly(column, code) : toggle(column, code, row)));
    row.addEventListener('dblclick', () => showOnly(column, code));
    return row;
  });
  if (order.length > most) {
    rows.push(make('button', { type: 'button', className: 'link', textContent: `${(order.length - most).toLocaleString('en')} more`, onclick: () => renderKey(order.length) }));
  }
  if (order.length > PALETTE.length) {
    rows.unshift(make('p', { className: 'about', textContent: `The ${PALETTE.length} commonest of ${order.length.toLocaleString('en')} have colours of their own; the others are grey.` }));
  }
  rows.push(make('div', { className: 'actions', id: 'all', hidden: column.hidden.size === 0 },
    make('button', { type: 'button', className: 'link', textContent: 'Show all', onclick: () => showOnly(column, null) })));
  return rows;
}

// Counts that follow the window of time.
function refreshCounts() {
  const column = state.column;
  if (!column || !column.all || !column.names) return;
  for (const row of find('key').querySelectorAll('[data-code]')) {
    row.querySelector('.more').textContent = legend(column).counts[Number(row.dataset.code)].toLocaleString('en');
  }
}

// Switch one category on or off; `row` is its row in the legend.
function toggle(column, code, row) {
  if (column.hidden.has(code)) column.hidden.delete(code);
  else column.hidden.add(code);
  row.setAttribute('aria-pressed', String(!column.hidden.has(code)));
  find('all').hidden = column.hidden.size === 0;
  filterChanged();
}

// Only one category, or all of them (null).
function showOnly(column, code) {
  column.hidden.clear();
  if (code !== null) for (let i = 0; i <= column.names.length; i++) if (i !== code) column.hidden.add(i);
  renderKey();
  const row = find('key').querySelector('[aria-pressed="true"]');
  if (row) row.focus();
  filterChanged();
}

function renderBar(column) {
  const { low, high, below, above, unknown } = ends(column);
  const stops = Array.from({ length: 11 }, (_, i) => viridis(i / 10));
  const bar = make('div', { className: 'bar', role: 'img', 'aria-label': `Colours from ${endText(column, low)} to ${endText(column, high)}` });
  bar.style.background = `linear-gradient(to right, ${stops.join(',')})`;
  const rows = [histogram(column), make('div', { className: 'slide' }, bar, ...sliders(column)), make('div', { className: 'ends' },
    make('span', { textContent: (below ? '≤ ' : '') + endText(column, low) }),
    make('span', { textContent: endText(column, valueAt(ends(column), 0.5)) }),
    make('span', { textContent: (above ? '≥ ' : '') + endText(column, high) }))];
  if (unknown) {
    rows.push(make('div', { className: 'row' }, dot(cssVariable('missing')),
      make('span', { className: 'name', textContent: 'unknown' }),
      make('span', { className: 'more', textContent: unknown.toLocaleString('en') })));
  }
  return rows;
}

// How many points have which value; heights are roots, so that a few can be seen beside many.
function histogram(column) {
  const range = ends(column);
  const counts = new Array(BINS).fill(0);
  for (const value of column.values) {
    if (!Number.isNaN(value)) counts[Math.min(Math.max(Math.floor(shareOf(range, value) * BINS), 0), BINS - 1)] += 1;
  }
  const most = Math.max(...counts);
  return make('div', { className: 'histogram', 'aria-hidden': 'true' }, ...counts.map((count, i) => make('i', {
    title: count.toLocaleString('en'),
    style: { height: `${100 * Math.sqrt(count / most || 0)}%`, background: viridis((i + 0.5) / BINS) },
  })));
}

// Two handles upon the bar: points outside are hidden. At its ends they leave the range open.
function sliders(column) {
  const range = ends(column);
  const { low, high } = range;
  const whole = range.add === null && !column.dates && high - low <= FINE && column.values.every((value) => Number.isNaN(value) || Number.isInteger(value));
  const steps = whole ? high - low : FINE;
  // Over days a range begins and ends with whole ones.
  const days = column.dates && high - low > 4;
  const value = (step, last = false) => (whole ? low + step : days ? Math.floor(valueAt(range, step / steps)) + (last ? 0.99999 : 0) : valueAt(range, step / steps));
  const step = (bound, open) => (Math.abs(bound) === Infinity ? open : shareOf(range, bound) * steps);
  const [first, last] = column.range || [-Infinity, Infinity];
  const handles = [['From', step(first, 0)], ['To', step(last, steps)]].map(([name, at]) => make('input', {
    type: 'range', min: '0', max: String(steps), step: '1', value: String(at), disabled: !(high > low), 'aria-label': `${name}: ${column.name}`,
  }));
  const tell = () => handles.forEach((handle) => handle.setAttribute('aria-valuetext', endText(column, value(Number(handle.value)))));
  const change = (moved) => {
    const at = handles.map((handle) => Number(handle.value));
    if (at[0] > at[1]) handles[moved].value = String(at[1 - moved]);
    const [from, to] = handles.map((handle) => Number(handle.value));
    column.range = from === 0 && to === steps ? null : [from === 0 ? -Infinity : value(from), to === steps ? Infinity : value(to, true)];
    tell();
    filterChanged();
  };
  handles.forEach((handle, i) => handle.addEventListener('input', () => change(i)));
  tell();
  return handles;
}
