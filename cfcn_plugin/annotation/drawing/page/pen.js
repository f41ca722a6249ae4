// The pen of the keyboard: a cross that moves by steps and draws as the mouse does.

const STEPS = [0.02, 0.005, 0.1];  // of the image's diagonal; also one pixel

export class Pen {
  constructor(app) {
    this.app = app;
    this.at = null;
    this.isDown = false;
    this.which = 0;
  }

  move(dx, dy) {
    const {mask, view} = this.app;
    if (!mask) return;
    this.at ||= [mask.width / 2, mask.height / 2];
    const step = this.which < STEPS.length ?
      STEPS[this.which] * Math.hypot(mask.width, mask.height) : 1;
    this.at = [this.at[0] + dx * step, this.at[1] + dy * step];
    this.app.pointer = this.at;
    this.app.tool.move(this.at, this.isDown);
    view.invalidate();
  }

  toggle() {
    this.move(0, 0);
    if (!this.at || !this.isDown && !this.app.canEdit()) return;
    this.isDown = !this.isDown;
    if (this.isDown) this.app.tool.down(this.at, {});
    else this.app.tool.up(this.at);
    this.app.say(this.isDown ? 'Pen down' : 'Pen up');
    this.app.view.invalidate();
  }

  changeStep() {
    this.which = (this.which + 1) % (STEPS.length + 1);
    this.app.say(`Steps of the pen: ${['middle', 'short', 'long', 'one pixel'][this.which]}`);
  }

  lift() {
    this.isDown = false;
    this.at = null;
  }

  draw(c) {
    if (!this.at) return;
    const [x, y] = this.app.view.toCanvas(this.at);
    c.strokeStyle = this.isDown ? '#ffb648' : 'white';
    c.lineWidth = 2;
    c.beginPath();
    c.moveTo(x - 10, y);
    c.lineTo(x + 10, y);
    c.moveTo(x, y - 10);
    c.lineTo(x, y + 10);
    c.stroke();
  }
}
