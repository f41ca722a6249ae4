// The mask that is drawn: a label a pixel, with undo and redo.
import {decodeRuns, encodeRuns, runEnd} from './raster.js';

const MOST = 200;  // edits that can be undone

export class Rect {  // of pixels, right and bottom outside
  constructor(left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity) {
    Object.assign(this, {left, top, right, bottom});
  }

  add(left, top, right, bottom) {
    this.left = Math.min(this.left, left);
    this.top = Math.min(this.top, top);
    this.right = Math.max(this.right, right);
    this.bottom = Math.max(this.bottom, bottom);
  }

  get isEmpty() { return this.left >= this.right || this.top >= this.bottom; }
}

export class Mask {
  // changed(rect) is called with each area whose pixels changed
  constructor(width, height, runs, changed) {
    Object.assign(this, {width, height, changed});
    this.labels = decodeRuns(runs, width * height);
    this.edits = [];   // {rect, words, shape}: what an edit toggled
    this.at = 0;       // edits that are done, not undone
    this.savedAt = 0;
    this.before = null;
  }

  get isChanged() { return this.at !== this.savedAt; }
  get isEmpty() { return runEnd(this.labels, 0) === this.labels.length && !this.labels[0]; }

  get area() {  // counted once an edit, not once a frame
    if (this.counted !== this.edits[this.at - 1]) this.pixels = undefined;
    if (this.pixels === undefined) {
      this.pixels = 0;
      for (let i = 0; i < this.labels.length; i++) if (this.labels[i]) this.pixels++;
      this.counted = this.edits[this.at - 1];
    }
    return this.pixels;
  }

  get runs() { return encodeRuns(this.labels); }
  markSaved() { this.savedAt = this.at; }
  markUnsaved() { this.savedAt = -1; }

  begin() {
    this.before = this.labels.slice();
    this.touched = new Rect();
  }

  // shape(span) calls span(row, x0, x1); see raster.js
  paint(shape, value) {
    const rect = new Rect();
    shape((row, x0, x1) => {
      this.labels.fill(value, row * this.width + x0, row * this.width + x1);
      rect.add(x0, row, x1, row + 1);
    });
    if (rect.isEmpty) return;
    this.touched.add(rect.left, rect.top, rect.right, rect.bottom);
    this.changed(rect);
  }

  setAll(labels) {
    this.labels.set(labels);
    const rect = new Rect(0, 0, this.width, this.height);
    this.touched = rect;
    this.changed(rect);
  }

  // End the edit; false if no pixel changed. `shape` comes back when it is undone.
  end(shape = null) {
    const rect = this.touched, before = this.before;
    this.before = null;
    if (rect.isEmpty) return false;
    const toggled = this.crop(rect, i => this.labels[i] ^ before[i]);
    if (runEnd(toggled, 0) === toggled.length && toggled[0] === 0) return false;
    this.edits.length = this.at;
    if (this.savedAt > this.at) this.savedAt = -1;
    this.edits.push({rect, words: encodeRuns(toggled), shape});
    this.at++;
    if (this.edits.length > MOST) {
      this.edits.shift();
      this.at--;
      this.savedAt--;
    }
    return true;
  }

  cancel() {
    if (!this.before) return;
    this.labels = this.before;
    this.before = null;
    if (!this.touched.isEmpty) this.changed(this.touched);
  }

  undo() { return this.at > 0 ? this.toggle(this.edits[--this.at]) : null; }
  redo() { return this.at < this.edits.length ? this.toggle(this.edits[this.at++]) : null; }

  toggle(edit) {
    const {rect, words} = edit, wide = rect.right - rect.left;
    let at = 0;
    for (let i = 0; i < words.length; i += 2) {
      const end = at + words[i + 1];
      for (let k = at; words[i] && k < end; k++) {
        const row = rect.top + Math.floor(k / wide);
        this.labels[row * this.width + rect.left + k % wide] ^= words[i];
      }
      at = end;
    }
    this.changed(rect);
    return edit;
  }

  crop(rect, value) {
    const wide = rect.right - rect.left;
    const out = new Uint8Array(wide * (rect.bottom - rect.top));
    for (let row = rect.top, k = 0; row < rect.bottom; row++) {
      const start = row * this.width + rect.left;
      for (let i = start; i < start + wide; i++) out[k++] = value(i);
    }
    return out;
  }
}
