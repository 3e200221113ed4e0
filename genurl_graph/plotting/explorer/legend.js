// What the colours mean: a legend whose entries can be switched off, or a colour bar.

const LISTED = 200; // categories listed one by one

function chooseColumn(column) {
  state.column = column;
  find('colour').value = String(columns.indexOf(column));
  renderKey();
  renderCard();
  if (state.selected) renderSelection();
  return draw().then(drawOverlay);
}

function renderKey() {
  const column = state.column;
  find('about').textContent = column ? column.about : 'One colour: there is nothing to colour by.';
  find('key').classList.toggle('legend', Boolean(column && column.names));
  find('key').replaceChildren(...(column ? (column.names ? renderLegend(column) : renderBar(column)) : []));
}

function renderLegend(column) {
  const { order, counts, colours } = legend(column);
  const unknown = column.names.length;
  const listed = [...order.slice(0, LISTED), ...(counts[unknown] ? [unknown] : [])];
  const rows = listed.map((code) => {
    const row = make('button', { type: 'button', className: 'row', title: 'Click: show or hide; double-click or Shift: only this one', 'aria-pressed': String(!column.hidden.has(code)), 'data-code': String(code) },
      dot(colours[code] || cssVariable('missing')),
      make('span', { className: 'name', textContent: code === unknown ? 'unknown' : column.names[code] }),
      make('span', { className: 'more', textContent: counts[code].toLocaleString('en') }));
    row.addEventListener('click', (event) => (event.shiftKey ? showOnly(column, code) : toggle(column, code, row)));
    row.addEventListener('dblclick', () => showOnly(column, code));
    return row;
  });
  if (order.length > LISTED) rows.push(make('p', { className: 'about', textContent: `and ${order.length - LISTED} more` }));
  if (order.length > PALETTE.length) {
    rows.unshift(make('p', { className: 'about', textContent: `The ${PALETTE.length} commonest of ${order.length} have colours of their own; the others are grey.` }));
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
  draw().then(drawOverlay);
}

// Only one category, or all of them (null).
function showOnly(column, code) {
  column.hidden.clear();
  if (code !== null) for (let i = 0; i <= column.names.length; i++) if (i !== code) column.hidden.add(i);
  renderKey();
  const row = find('key').querySelector('[aria-pressed="true"]');
  if (row) row.focus();
  draw().then(drawOverlay);
}

function renderBar(column) {
  const { low, high, below, above, unknown } = ends(column);
  const stops = Array.from({ length: 11 }, (_, i) => viridis(i / 10));
  const bar = make('div', { className: 'bar', role: 'img', 'aria-label': `Colours from ${short(low)} to ${short(high)}` });
  bar.style.background = `linear-gradient(to right, ${stops.join(',')})`;
  const rows = [bar, make('div', { className: 'ends' },
    make('span', { textContent: (below ? '≤ ' : '') + short(low) }),
    make('span', { textContent: short((low + high) / 2) }),
    make('span', { textContent: (above ? '≥ ' : '') + short(high) }))];
  if (unknown) {
    rows.push(make('div', { className: 'row' }, dot(cssVariable('missing')),
      make('span', { className: 'name', textContent: 'unknown' }),
      make('span', { className: 'more', textContent: unknown.toLocaleString('en') })));
  }
  return rows;
}
