// Which points are drawn: categories that are switched off, ranges of numbers, and a selection that hides the others.

const isFiltered = (column) => (column.names ? column.hidden.size > 0 : column.range !== null);

function updateFilters() {
  const active = columns.filter(isFiltered);
  if (!active.length && !state.only) {
    state.passes = null;
    return;
  }
  const passes = state.only ? state.only.slice() : new Uint8Array(n).fill(1);
  for (const { names, hidden, range, values } of active) {
    if (names) {
      const off = new Uint8Array(names.length + 1);
      for (const code of hidden) off[code] = 1;
      for (let node = 0; node < n; node++) if (off[values[node]]) passes[node] = 0;
    } else {
      // Unknown values are in no range.
      for (let node = 0; node < n; node++) if (!(values[node] >= range[0] && values[node] <= range[1])) passes[node] = 0;
    }
  }
  state.passes = passes;
}

// Draw with the filters as they are now, and list them.
function filterChanged() {
  updateFilters();
  renderFilters();
  return draw();
}

function filterText(column) {
  if (column.names) {
    const total = column.names.length;
    const left = [...column.names.keys()].filter((code) => !column.hidden.has(code));
    const unknown = legend(column).counts[total] > 0 && !column.hidden.has(total);
    if (left.length === 1 && !unknown) return `only ${column.names[left[0]]}`;
    if (left.length === total) return 'unknown is hidden';
    return `${left.length} of ${total} shown`;
  }
  const [low, high] = column.range;
  if (low === -Infinity) return `up to ${endText(column, high)}`;
  return high === Infinity ? `from ${endText(column, low)}` : `${endText(column, low)} to ${endText(column, high)}`;
}

// One line for each filter; a click takes it away.
function renderFilters() {
  const section = find('filters');
  const active = columns.filter(isFiltered);
  const chips = active.map((column) => chip(`${column.name}: ${filterText(column)}`, () => unfilter(column)));
  if (state.only) chips.unshift(chip('Only a selection', () => (state.only = null)));
  section.hidden = !chips.length;
  section.replaceChildren(make('span', { className: 'caption', textContent: 'Filters' }), ...chips);
}

function chip(text, remove) {
  const button = make('button', { type: 'button', className: 'chip', title: 'Take this filter away' },
    make('span', { textContent: text }), make('span', { textContent: '×', 'aria-hidden': 'true' }));
  button.addEventListener('click', () => {
    remove();
    renderKey();
    filterChanged();
  });
  return button;
}

function unfilter(column) {
  column.hidden.clear();
  column.range = null;
}
