// Starts the page: finds its host, mounts the window, and says so plainly when that fails.
import './styles/tokens.css';
import './styles/ansi.css';
import './styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { choose } from './platform/choose';
import { Hub } from './state/hub.svelte';
import { View } from './state/view.svelte';
import { Waiting } from './state/waiting.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('the page has no #app');

try {
  const hub = new Hub(await choose());
  const view = new View(hub);
  const waiting = new Waiting(hub);
  mount(App, { target, props: { hub, view, waiting } });
  void hub.start();
} catch (error) {
  target.textContent = `Countersign's window could not start: ${error instanceof Error ? error.message : String(error)}`;
}
