// The canvas: the image with the mask over it and the tool on top, zoom and pan. Events
// change numbers alone; a frame for all of them draws.
import {clamp} from './raster.js';
import {Scene} from './scene.js';

const CLOSEST = 40;       // screen pixels a pixel
const MARGIN = 24;        // around an image that fits
const LEAST_LEVEL = 1024; // pixels; a smaller image needs no reduced copy

export class View {
  scene = new Scene();
  levels = [];             // the image, and copies of half the size of the one before
  layers = [];
  width = this.height = 1;

  constructor(canvas, drawTool) {
    Object.assign(this, {canvas, drawTool});
    this.context = canvas.getContext('2d', {alpha: false});
    this.scale = 1;
    this.x = this.y = 0;  // of the image's corner, in CSS pixels
    this.isFitted = true;
    this.frames = 0;
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  // bitmap may be smaller than the image of width x height
  async show(bitmap, width, height, layers) {
    Object.assign(this, {width, height, layers, levels: bitmap ? [bitmap] : []});
    this.redraw();
    this.fit();
    let last = bitmap;
    while (last && Math.max(last.width, last.height) > LEAST_LEVEL) {
      last = await createImageBitmap(last, {
        resizeWidth: Math.ceil(last.width / 2), resizeHeight: Math.ceil(last.height / 2),
        resizeQuality: 'medium'});
      if (this.levels[0] !== bitmap) return;  // another image is shown by now
      this.levels.push(last);
    }
    this.redraw();
  }

  resize() {
    const box = this.box = this.canvas.getBoundingClientRect();
    this.ratio = devicePixelRatio;
    this.canvas.width = Math.max(1, Math.round(box.width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(box.height * this.ratio));
    if (this.isFitted) this.fit();
    this.invalidate();
  }

  fit() {
    const wide = this.canvas.width / this.ratio, high = this.canvas.height / this.ratio;
    this.scale = this.fitScale = Math.min((wide - 2 * MARGIN) / this.width,
                                          (high - 2 * MARGIN) / this.height, CLOSEST);
    this.x = (wide - this.width * this.scale) / 2;
    this.y = (high - this.height * this.scale) / 2;
    this.isFitted = true;
    this.invalidate();
  }

  zoom(factor, [x, y]) {  // about a point of the canvas, in CSS pixels
    const scale = clamp(this.scale * factor, Math.min(this.fitScale, 1) / 4, CLOSEST);
    this.x = x - (x - this.x) * scale / this.scale;
    this.y = y - (y - this.y) * scale / this.scale;
    this.scale = scale;
    this.isFitted = false;
    this.invalidate();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.isFitted = false;
    this.invalidate();
  }

  toImage([x, y]) { return [(x - this.x) / this.scale, (y - this.y) / this.scale]; }
  toCanvas([x, y]) { return [x * this.scale + this.x, y * this.scale + this.y]; }

  get centre() {
    return [this.canvas.width / this.ratio / 2, this.canvas.height / this.ratio / 2];
  }

  // A point of the canvas, in CSS pixels
  at(event) { return [event.clientX - this.box.left, event.clientY - this.box.top]; }

  invalidate() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => {
      this.waits = false;
      this.draw();
      this.frames++;
    });
  }

  // The image or a layer changed, in these pixels of the image, or as a whole
  redraw(rect) {
    this.scene.spoil(rect);
    this.invalidate();
  }

  // The smallest level that has a pixel for each pixel of the screen
  level(scale) {
    return this.levels.findLast(one => one.width >= this.width * scale) || this.levels[0];
  }

  draw() {
    if (this.ratio !== devicePixelRatio) this.resize();  // on another screen by now
    const {context: c, canvas, ratio} = this;
    this.scene.update(canvas.width, canvas.height, {
      x: Math.round(this.x * ratio), y: Math.round(this.y * ratio),
      scale: this.scale * ratio}, (...area) => this.drawArea(...area));
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.drawImage(this.scene.canvas, 0, 0);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.drawTool(c);
  }

  drawArea(c, place, rect) {
    const {x, y, scale} = place, level = this.level(scale);
    if (level) {
      c.imageSmoothingEnabled = scale < 3;  // pixels are seen as pixels
      c.drawImage(level, x, y, this.width * scale, this.height * scale);
    }
    for (const layer of this.layers) layer.draw(c, place, rect);
  }
}
