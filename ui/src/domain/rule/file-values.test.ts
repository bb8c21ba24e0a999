import { expect, it } from 'vitest';
import type { RuleRow } from '$ui/generated/model';
import { fileValues, rememberFiles } from './file-values';

const ROW = { id: 'own.login', file: 'own.yaml', version: '1', enabled: true, threshold: 5, window_s: 60, adjusted: false } as unknown as RuleRow;

it('what a file says is remembered while the rule is adjusted, but not into another workspace', () => {
  rememberFiles([ROW], 11);
  expect(fileValues({ ...ROW, adjusted: true, threshold: 9 })).toEqual({ enabled: true, threshold: 5, window_s: 60 });
  rememberFiles([], 11);
  expect(fileValues({ ...ROW, adjusted: true })?.threshold).toBe(5);
  rememberFiles([], 12);
  expect(fileValues({ ...ROW, adjusted: true }), 'a file of the same name may say otherwise').toBeNull();
});
