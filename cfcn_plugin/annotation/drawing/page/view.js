// The canvas: the image with the mask over it, zoom and pan. Only what changed is made
// anew; a frame draws ready bitmaps, also of a photograph of 12 megapixels.
import {clamp} from './raster.js';

const TILE = 512;
const LONGEST = 8192;     // of the mask's own layer; larger masks are shown reduced
const CLOSEST = 40;       // screen pixels a pixel
const MARGIN = 24;        // around an image that fits

export class View {
  constructor(canvas, drawTool) {
    Object.assign(this, {canvas, drawTool, width: 1, height: 1, levels: [], layers: []});
    this.context = canvas.getContext('2d');
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
    this.fit();
    let last = bitmap;
    while (last && Math.max(last.width, last.height) > 1024) {
      last = await createImageBitmap(last, {
        resizeWidth: Math.ceil(last.width / 2), resizeHeight: Math.ceil(last.height / 2),
        resizeQuality: 'medium'});
      if (this.levels[0] !== bitmap) return;  // another image is shown by now
      this.levels.push(last);
    }
    this.invalidate();
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    this.ratio = window.devicePixelRatio || 1;
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

  invalidate() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => {
      this.waits = false;
      this.draw();
      this.frames++;
    });
  }

  draw() {
    const {context: c, ratio} = this, scale = this.scale * ratio;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.fillStyle = '#20262d';
    c.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const x = this.x * ratio, y = this.y * ratio;
    if (this.levels.length) {
      // the smallest level that has a pixel for each pixel of the screen
      const wanted = this.width * scale;
      const level = this.levels.findLast(one => one.width >= wanted) || this.levels[0];
      c.imageSmoothingEnabled = scale < 3;  // pixels are seen as pixels
      c.drawImage(level, x, y, this.width * scale, this.height * scale);
    }
    for (const layer of this.layers) layer.draw(c, x, y, scale, this.canvas);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.drawTool(c);
  }
}

// Labels in colours, in tiles: only tiles that an edit touches are made anew.
export class Layer {
  // labels(): the pixels, a label each; colours: [r, g, b, a] of each label from 1
  constructor(width, height, labels, colours) {
    Object.assign(this, {width, height, labels, isShown: true});
    this.step = Math.ceil(Math.max(width, height) / LONGEST);
    this.wide = Math.ceil(width / this.step);
    this.high = Math.ceil(height / this.step);
    this.tiles = new Map();
    this.colours = new Uint32Array(256);
    new Uint8Array(this.colours.buffer).set(colours.flat(), 4);
  }

  update({left, top, right, bottom}) {
    const {step} = this;
    const x1 = Math.min(this.wide, Math.ceil(right / step));
    const y1 = Math.min(this.high, Math.ceil(bottom / step));
    const x0 = Math.floor(left / step), y0 = Math.floor(top / step);
    for (let row = Math.floor(y0 / TILE); row * TILE < y1; row++) {
      for (let column = Math.floor(x0 / TILE); column * TILE < x1; column++) {
        this.paint(column, row, Math.max(x0, column * TILE), Math.max(y0, row * TILE),
                   Math.min(x1, (column + 1) * TILE), Math.min(y1, (row + 1) * TILE));
      }
    }
  }

  paint(column, row, x0, y0, x1, y1) {
    const key = row * 65536 + column, labels = this.labels();
    const pixels = new Uint32Array((x1 - x0) * (y1 - y0));
    let k = 0, any = false;
    for (let y = y0; y < y1; y++) {
      let at = y * this.step * this.width + x0 * this.step;
      for (let x = x0; x < x1; x++, at += this.step) {
        const label = labels[at];
        if (label) any = true;
        pixels[k++] = this.colours[label];
      }
    }
    if (!any && !this.tiles.has(key)) return;
    if (!this.tiles.has(key)) {
      this.tiles.set(key, Object.assign(document.createElement('canvas'), {
        width: TILE, height: TILE}));
    }
    this.tiles.get(key).getContext('2d').putImageData(
      new ImageData(new Uint8ClampedArray(pixels.buffer), x1 - x0, y1 - y0),
      x0 - column * TILE, y0 - row * TILE);
  }

  draw(c, x, y, scale, canvas) {
    if (!this.isShown) return;
    const side = TILE * this.step * scale;
    c.imageSmoothingEnabled = scale < 1;
    for (const [key, tile] of this.tiles) {
      // whole pixels of the screen: no seams between tiles
      const left = Math.round(x + (key % 65536) * side);
      const top = Math.round(y + Math.floor(key / 65536) * side);
      const right = Math.round(x + (key % 65536 + 1) * side);
      const bottom = Math.round(y + (Math.floor(key / 65536) + 1) * side);
      if (right > 0 && bottom > 0 && left < canvas.width && top < canvas.height) {
        c.drawImage(tile, left, top, right - left, bottom - top);
      }
    }
  }
}
