// First: other modules read the language while they load.
import './platform/locale';

import 'uplot/dist/uPlot.min.css';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/print.css';

import { mount } from 'svelte';
import ApplicationShell from './app.svelte';
import { language } from './i18n';
import { choosePlatform } from './platform';
import { App } from './state/app.svelte';
import { prefs } from './state/prefs.svelte';

prefs.applyTheme();
document.documentElement.lang = language;

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');

const app = new App(await choosePlatform());
mount(ApplicationShell, { target, props: { app } });
