import { fireEvent, render, waitFor } from '@testing-library/svelte';
import { expect, it } from 'vitest';
import { demoPlatform } from '$ui/platform/demo/index';
import { App, appContext } from '$ui/state/app.svelte';
import { hook, requests, type } from '$ui/test-hook';
import ProduceForm from './produce-form.svelte';

it('asks for no archive copy of a PDF that is not made', async () => {
  const platform = demoPlatform();
  const period = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' };
  render(ProduceForm, { props: { framework: { id: 'soc2', name: 'SOC 2' }, period: () => period, subject: '', complete: true, basename: 'soc2' }, context: appContext(new App(platform)) });
  await type('report-pdf-path', '/tmp/a.pdf');
  await type('report-csv-path', '/tmp/a.csv');
  await fireEvent.click(hook('report-archive'));
  expect(hook<HTMLInputElement>('report-archive').checked).toBe(true);
  await type('report-pdf-path', '');
  expect(hook<HTMLInputElement>('report-archive').checked, 'there is nothing to keep').toBe(false);
  await fireEvent.submit(hook('report-produce-form'));
  await waitFor(() => expect(requests(platform, 'report_generate')).toMatchObject([{ files: [{ format: 'csv' }], archive: false }]));
});
