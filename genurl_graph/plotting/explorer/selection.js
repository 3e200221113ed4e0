// Points that the lasso or a search has caught: how many of what, alone on the map, and out as CSV.

// Select nodes, instead of those selected before or (with Shift) beside them.
function select(nodes, more = false) {
  // A new array each time: that it is another one tells the edges that the selection has changed.
  const selected = more && state.selected ? state.selected.slice() : new Uint8Array(n);
  for (const node of nodes) selected[node] = 1;
  state.selected = selected.includes(1) ? selected : null;
  renderSelection();
  if (state.selected) find('selection').scrollIntoView({ block: 'nearest' });
  return draw();
}

function clearSelection() {
  state.selected = null;
  renderSelection();
  return draw();
}

function selectedNodes() {
  const nodes = [];
  for (let node = 0; node < n; node++) if (state.selected[node]) nodes.push(node);
  return nodes;
}

function renderSelection() {
  const section = find('selection');
  section.hidden = !state.selected;
  if (!state.selected) return;
  const nodes = selectedNodes();
  const buttons = make('div', { className: 'buttons' },
    make('button', { type: 'button', className: 'link', textContent: 'Zoom to', onclick: () => zoomTo(nodes) }),
    make('button', { type: 'button', className: 'link', textContent: 'Clear', onclick: clearSelection }));
  const title = make('h2', { textContent: `${nodes.length.toLocaleString('en')} selected`, 'aria-live': 'polite' });
  const children = [make('div', { className: 'head' }, title, buttons)];
  if (state.column && state.column.names) children.push(...shares(state.column, nodes));
  children.push(make('div', { className: 'actions big' },
    make('button', { type: 'button', className: 'solid', id: 'export', textContent: 'Save as CSV', onclick: () => save(nodes) }),
    make('button', { type: 'button', className: 'plain', id: 'alone', textContent: 'Hide others', onclick: hideOthers })));
  section.replaceChildren(...children);
}

// The selection becomes a filter.
function hideOthers() {
  state.only = state.selected;
  state.selected = null;
  renderSelection();
  filterChanged();
}

// A bar of the selection's categories, and the commonest by name.
function shares(column, nodes) {
  const counts = new Map();
  for (const node of nodes) counts.set(column.values[node], (counts.get(column.values[node]) || 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  const colours = legend(column).colours;
  const bar = make('div', { className: 'share', 'aria-hidden': 'true' });
  for (const [code, count] of sorted) {
    bar.append(make('span', { style: { flex: String(count), background: colours[code] || cssVariable('missing') } }));
  }
  const rows = sorted.slice(0, 4).map(([code, count]) => make('div', { className: 'row' },
    dot(colours[code] || cssVariable('missing')),
    make('span', { className: 'name', textContent: code < column.names.length ? column.names[code] : 'unknown' }),
    make('span', { className: 'more', textContent: count.toLocaleString('en') })));
  return [bar, ...rows];
}

// A field of the file: quoted where it must be, and never a formula to a spreadsheet. Plain numbers stay as they are.
function field(text) {
  const formula = /^[=+\-@\t\r]/.test(text) && !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  const safe = formula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function csv(nodes) {
  const value = (column, node) => {
    const number = column.values[node];
    if (column.names) return number < column.names.length ? column.names[number] : '';
    if (Number.isNaN(number)) return '';
    return column.dates ? dateText(number) : String(number);
  };
  const lines = [['node_id', 'x', 'y', ...(time ? ['window'] : []), ...columns.map((column) => column.name)].map(field).join(',')];
  for (const node of nodes) {
    lines.push([field(idOf(node)), x[node], y[node], ...(time ? [time.now] : []), ...columns.map((column) => field(value(column, node)))].join(','));
  }
  return lines.join('\r\n') + '\r\n';
}

function save(nodes) {
  download(new Blob([csv(nodes)], { type: 'text/csv' }), 'selection.csv');
}
