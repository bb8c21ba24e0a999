// First: other modules read the language while they load.
import './platform/locale';

import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/print.css';

import { mount } from 'svelte';
import ApplicationShell from './app.svelte';
import { language, loadLanguage } from './i18n';
import { choosePlatform } from './platform';
import { panels } from './shell/panels';
import { App } from './state/app.svelte';
import { restorePlace } from './state/last-place';
import { prefs } from './state/prefs.svelte';
import { router } from './state/router.svelte';

prefs.applyTheme();
restorePlace();
document.documentElement.lang = language;

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');

/** Not awaited at the top of this module: what is fetched here imports from it, and would wait for it to end. */
async function start(root: HTMLElement): Promise<void> {
  // The panel that opens first is there when the window is drawn: nothing flashes by before it.
  const [platform] = await Promise.all([choosePlatform(), loadLanguage(), panels[router.current.panel].view.load()]);
  mount(ApplicationShell, { target: root, props: { app: new App(platform) } });
}

void start(target);
