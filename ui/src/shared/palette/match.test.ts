import { describe, expect, it } from 'vitest';
import { incidentNumber, matchCommands, type Command } from './match';

function command(label: string, words?: string): Command {
  return { id: label, label, group: 'g', run: () => undefined, ...(words === undefined ? {} : { words }) };
}

const ALL = [command('Overview'), command('Incidents'), command('Redis health'), command('Use the light theme'), command('Block an address', 'ban ip')];

describe('matchCommands', () => {
  it.each([
    ['', ['Overview', 'Incidents', 'Redis health', 'Use the light theme', 'Block an address']],
    ['inc', ['Incidents']],
    ['light theme', ['Use the light theme']],
    ['theme LIGHT', ['Use the light theme']],
    ['ban', ['Block an address']],
    ['he', ['Redis health', 'Use the light theme']],
    ['xyz', []],
  ])('%j', (typed, expected) => {
    expect(matchCommands(ALL, typed).map((found) => found.label)).toEqual(expected);
  });
});

describe('incidentNumber', () => {
  it.each([
    ['42', 42],
    [' #42 ', 42],
    ['42a', null],
    ['', null],
    ['#', null],
  ])('%j', (typed, expected) => expect(incidentNumber(typed)).toBe(expected));
});
