// The image with the mask over it, as the screen shows them. It is kept from frame to
// frame, and a frame makes only the pixels anew that it changes: none for a tool that
// moves, the edges for a pan, the area of an edit, and all for a zoom.
import {Rect} from './mask.js';

const BACKGROUND = '#20262d';
const NEAR = 2;  // pixels of the screen that a pixel of the image reaches beyond its own

export class Scene {
  made = 0;  // pixels that were made anew
  place = {};

  constructor() {
    [this.context, this.spare] = [0, 1].map(
      () => document.createElement('canvas').getContext('2d', {alpha: false}));
    this.spoiled = new Rect();
    for (const {canvas} of [this.context, this.spare]) {  // after a reset of the GPU
      canvas.addEventListener('contextrestored', () => this.spoil());
    }
  }

  get canvas() { return this.context.canvas; }

  // These pixels of the image are shown otherwise from now on; without a rectangle, all
  spoil(rect) {
    if (rect) this.spoiled.add(rect.left, rect.top, rect.right, rect.bottom);
    else this.place = {};
  }

  // place: {x, y, scale}: where the image's corner is, in whole pixels of the screen, and
  // pixels of the screen a pixel; draw(context, place, rect) draws what is in a rectangle
  update(width, height, place, draw) {
    const {canvas, spare} = this, rects = [];
    const dx = place.x - this.place.x, dy = place.y - this.place.y;
    const isResized = canvas.width !== width || canvas.height !== height;
    if (isResized) [canvas, spare.canvas].forEach(one => Object.assign(one, {width, height}));
    if (isResized || this.place.scale !== place.scale || Math.abs(dx) >= width ||
        Math.abs(dy) >= height) {
      rects.push(new Rect(0, 0, width, height));
    } else {
      if (dx || dy) this.shift(dx, dy);
      rects.push(new Rect(dx < 0 ? width + dx : 0, 0, dx < 0 ? width : dx, height),
                 new Rect(0, dy < 0 ? height + dy : 0, width, dy < 0 ? height : dy),
                 this.onScreen(place));
    }
    this.place = place;
    this.spoiled = new Rect();
    for (const rect of rects) if (!rect.isEmpty) this.make(rect, place, draw);
  }

  // Into the other canvas: one that is drawn into itself is copied before
  shift(dx, dy) {
    [this.context, this.spare] = [this.spare, this.context];
    this.context.drawImage(this.spare.canvas, dx, dy);
  }

  onScreen({x, y, scale}) {
    const {left, top, right, bottom, isEmpty} = this.spoiled, {width, height} = this.canvas;
    return isEmpty ? this.spoiled : new Rect(
      Math.max(0, Math.floor(x + left * scale) - NEAR),
      Math.max(0, Math.floor(y + top * scale) - NEAR),
      Math.min(width, Math.ceil(x + right * scale) + NEAR),
      Math.min(height, Math.ceil(y + bottom * scale) + NEAR));
  }

  make(rect, place, draw) {
    const {context: c} = this, wide = rect.right - rect.left, high = rect.bottom - rect.top;
    c.save();
    c.beginPath();
    c.rect(rect.left, rect.top, wide, high);
    c.clip();
    c.fillStyle = BACKGROUND;
    c.fillRect(rect.left, rect.top, wide, high);
    draw(c, place, rect);
    c.restore();
    this.made += wide * high;
  }
}
