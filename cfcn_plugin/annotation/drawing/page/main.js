// Begins at the image in the address (a refresh), or at the first open one.
import {askJson} from './api.js';
import {App} from './app.js';

const overview = await askJson('overview');
const app = new App(overview);
window.app = app;  // for tests, and for who looks into it
const asked = Number(location.hash.slice(1)) - 1;
if (asked in overview.names) {
  await app.open(asked);
} else {
  const {index} = await askJson('next', {after: -1});
  await app.open(index ?? 0);
  if (index === null) await app.summary();
}
