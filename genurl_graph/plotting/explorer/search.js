// Find a node by its id.

const MOST = 30;
const search = find('search');
const found = find('found');
let hits = [];
let active = -1;

// Nodes whose id is the text, then those that begin with it, then those that contain it.
function lookUp(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  const [same, begin, contain] = [[], [], []];
  for (let node = 0; node < n && begin.length < MOST; node++) {
    const place = idOf(node).toLowerCase().indexOf(wanted);
    if (place < 0) continue;
    if (place === 0) (idOf(node).length === wanted.length ? same : begin).push(node);
    else if (contain.length < MOST) contain.push(node);
  }
  if (!same.length && begin.length === MOST) {
    // The loop ended early; the id itself may come later.
    for (let node = begin[MOST - 1]; node < n; node++) if (idOf(node).toLowerCase() === wanted) same.push(node);
  }
  return [...same, ...begin, ...contain].slice(0, MOST);
}

function renderFound() {
  const open = search.value.trim() !== '';
  hits = open ? lookUp(search.value) : [];
  active = hits.length ? 0 : -1;
  const items = hits.map((node, i) => {
    const item = make('li', { role: 'option', id: `hit-${i}` },
      dot(colourOf(state.column, node)),
      make('span', { className: 'name', textContent: idOf(node) }),
      make('span', { className: 'more', textContent: state.column ? textOf(state.column, node) : '' }));
    item.addEventListener('mousedown', (event) => {
      event.preventDefault();
      take(i);
    });
    return item;
  });
  if (open && !hits.length) items.push(make('li', { className: 'none', textContent: 'No node has this in its id' }));
  found.replaceChildren(...items);
  setOpen(open);
  mark();
}

function setOpen(open) {
  found.hidden = !open;
  search.setAttribute('aria-expanded', String(open));
}

function mark() {
  [...found.children].forEach((item, i) => item.setAttribute('aria-selected', String(i === active)));
  if (active < 0) search.removeAttribute('aria-activedescendant');
  else {
    search.setAttribute('aria-activedescendant', `hit-${active}`);
    found.children[active].scrollIntoView({ block: 'nearest' });
  }
}

function take(i) {
  if (i < 0 || i >= hits.length) return;
  search.value = idOf(hits[i]);
  setOpen(false);
  choose(hits[i], true);
}

search.addEventListener('input', renderFound);
search.addEventListener('focus', () => search.select());
search.addEventListener('blur', () => setOpen(false));
search.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault();
    if (found.hidden) renderFound();
    else if (hits.length) active = (active + (event.key === 'ArrowDown' ? 1 : hits.length - 1)) % hits.length;
    mark();
  } else if (event.key === 'Enter') {
    if (found.hidden) renderFound();
    take(active);
  } else if (event.key === 'Escape') {
    event.stopPropagation();
    if (found.hidden) search.blur();
    else setOpen(false);
  }
});
