// Put the page together.

const tip = find('tip');

function showTip(node) {
  tip.replaceChildren(...tipLines(node));
  tip.hidden = false;
  const [px, py] = toPixel(node);
  const left = px + 14 + tip.offsetWidth < plot.clientWidth ? px + 14 : px - 14 - tip.offsetWidth;
  const top = Math.min(Math.max(py - tip.offsetHeight / 2, 8), plot.clientHeight - tip.offsetHeight - 8);
  tip.style.transform = `translate(${Math.round(Math.max(left, 8))}px, ${Math.round(top)}px)`;
}

function hideTip() {
  tip.hidden = true;
  point(-1);
}

function listen() {
  listenToPointers();
  new ResizeObserver(() => {
    fitWindow();
    if (!isFitted()) paint();
  }).observe(plot);
  dark.addEventListener('change', () => chooseColumn(state.column));

  find('move').addEventListener('click', () => setLasso(false));
  find('lasso').addEventListener('click', () => setLasso(true));
  find('closer').addEventListener('click', () => zoomBy(1.5));
  find('farther').addEventListener('click', () => zoomBy(1 / 1.5));
  find('fit').addEventListener('click', showAll);
  find('save').addEventListener('click', savePicture);
  document.addEventListener('keydown', onKey);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input[type=search], select')) return;
  const actions = {
    '/': () => search.focus(),
    m: () => setLasso(false),
    l: () => setLasso(true),
    n: () => setNames(!showNames),
    p: savePicture,
    '+': () => zoomBy(1.5),
    '=': () => zoomBy(1.5),
    '-': () => zoomBy(1 / 1.5),
    0: showAll,
    Escape: () => (isLasso() ? setLasso(false) : state.selected ? clearSelection() : choose(-1)),
  };
  // In the panel they scroll, or move within a list.
  if (!event.target.closest('#panel, input')) {
    actions.ArrowLeft = () => shift(-1, 0);
    actions.ArrowRight = () => shift(1, 0);
    actions.ArrowUp = () => shift(0, 1);
    actions.ArrowDown = () => shift(0, -1);
  }
  if (time && !event.target.closest('input[type=range]')) {
    actions.ArrowLeft = () => turnTo(time.now - 1);
    actions.ArrowRight = () => turnTo(time.now + 1);
    if (!event.target.closest('button, input')) actions[' '] = play;
  }
  const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function start() {
  performance.mark('decoded');
  fillPanel();
  fitWindow();
  prepare();
  paint();
  listen();
  // For scripts and tests: the same that clicks do.
  window.explorer = { choose, chooseColumn, chooseSize, columns, currentEdges, drawn, layers, look, names: () => named.list, pick, picture, pictureWithLegend, play, repaint, select, showWindow, state, time, toPixel, view };
  performance.mark('ready');
  document.documentElement.dataset.ready = 'true';
}

start();
