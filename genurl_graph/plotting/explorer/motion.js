// While the map moves on a machine that draws slowly, some of the points stand for all of them. They are drawn in
// random order, so that the first ones are a fair sample.

const FRAME = 40; // milliseconds that a frame may take
const LEAST = 4000; // points that are always drawn

let thin = false;

// plotly's own drawing state. It has no public way to draw a part of a trace; without it all points are drawn always.
const glScene = () => plot._fullLayout._plots?.xy?._scene;

// How long one frame takes until it is really there: reading a pixel waits for that.
function timeFrame() {
  const context = plot.querySelector('canvas')?.getContext('webgl');
  const scene = glScene();
  if (!context || !scene?.draw || !scene.unselectBatch) return;
  const pixel = new Uint8Array(4);
  const finish = () => context.readPixels(0, 0, 1, 1, context.RGBA, context.UNSIGNED_BYTE, pixel);
  finish();
  const begin = performance.now();
  // Over the points that are there already they would be twice as opaque.
  context.clearColor(0, 0, 0, 0);
  context.clear(context.COLOR_BUFFER_BIT);
  scene.draw();
  finish();
  const took = performance.now() - begin;
  performance.measure('frame', { start: begin, duration: took });
  state.share = Math.min(1, FRAME / took);
}

function thinOut() {
  const count = Math.max(Math.round(state.share * shown.length), LEAST);
  if (thin || count >= shown.length) return;
  thin = true;
  glScene().unselectBatch[0] = Array.from({ length: count }, (_, i) => i);
}

// All points again, once the map rests.
function fillUp() {
  if (!thin) return;
  thin = false;
  const scene = glScene();
  if (scene) scene.unselectBatch[0] = [];
  Plotly.relayout(plot, { 'xaxis.range[0]': plot.layout.xaxis.range[0] });
}
