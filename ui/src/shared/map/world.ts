// The countries of the world as shapes, and where places are among them. A part of its own: fetched when a map is drawn.
//
// Shapes and borders are those of Natural Earth, 1:110 million, as world-atlas gives them. Antarctica is left out.

import { geoArea, geoCentroid, geoNaturalEarth1, geoPath } from 'd3-geo';
import { feature, mesh } from 'topojson-client';
import type { Feature, MultiPolygon, Polygon } from 'geojson';
import type { GeometryCollection, Topology } from 'topojson-specification';
import atlas from 'world-atlas/countries-110m.json';
import { numberOf } from './codes';

type Shape = Polygon | MultiPolygon;
type Atlas = Topology<{ countries: GeometryCollection<{ name: string }> }>;

const ANTARCTICA = '010';
/** Of the drawing; it is scaled to the room that there is. */
export const WIDTH = 960;

// Sound: the file has these objects, and a test looks at them.
const topology = atlas as unknown as Atlas;
const countries = topology.objects.countries;
const kept: GeometryCollection<{ name: string }> = { ...countries, geometries: countries.geometries.filter((country) => country.id !== ANTARCTICA) };
const shapes = feature(topology, kept);
const projection = geoNaturalEarth1().fitWidth(WIDTH, shapes);
const path = geoPath(projection).digits(1);
// A few have no number, for not everybody agrees on them: they are land like all others.
const byNumber = new Map(shapes.features.flatMap((shape) => (shape.id === undefined ? [] : [[String(shape.id), shape as Feature<Shape, { name: string }>]])));

export const HEIGHT = Math.ceil(path.bounds(shapes)[1][1]);

/** All land in one outline, and the borders in it. */
export const land = path(shapes) ?? '';
export const borders = path(mesh(topology, kept, (a, b) => a !== b)) ?? '';

/** What the atlas has: number and English name of each country. */
export function atlasNames(): ReadonlyMap<string, string> {
  return new Map([...byNumber].map(([id, shape]) => [id, shape.properties.name]));
}

function shapeOf(country: string): Feature<Shape, { name: string }> | undefined {
  const number = numberOf(country);
  return number === undefined ? undefined : byNumber.get(number);
}

/** The outline of a country by its two letters; `undefined` where it is too small for the atlas. */
export function outline(country: string): string | undefined {
  const shape = shapeOf(country);
  return shape === undefined ? undefined : (path(shape) ?? undefined);
}

/** Where those are that are too small for the atlas and have many addresses: longitude and latitude. */
const SMALL: Readonly<Record<string, [number, number]>> = {
  AD: [1.6, 42.5],
  BB: [-59.6, 13.2],
  BH: [50.6, 26.1],
  CW: [-69, 12.2],
  GG: [-2.6, 49.5],
  GI: [-5.4, 36.1],
  HK: [114.2, 22.3],
  IM: [-4.5, 54.2],
  JE: [-2.1, 49.2],
  LI: [9.6, 47.2],
  MC: [7.4, 43.7],
  MO: [113.5, 22.2],
  MT: [14.4, 35.9],
  MU: [57.6, -20.3],
  MV: [73.5, 4.2],
  RE: [55.5, -21.1],
  SC: [55.5, -4.7],
  SG: [103.8, 1.35],
  SM: [12.5, 43.9],
  VA: [12.45, 41.9],
  VG: [-64.6, 18.4],
};

/** The middle of the largest part of a country: that of France is in France, not off Africa. Longitude and latitude. */
export function middle(country: string): [number, number] | undefined {
  const shape = shapeOf(country);
  if (shape === undefined) return SMALL[country];
  const { geometry } = shape;
  const parts: Polygon[] = geometry.type === 'Polygon' ? [geometry] : geometry.coordinates.map((coordinates) => ({ type: 'Polygon', coordinates }));
  const [largest] = parts.toSorted((a, b) => geoArea(b) - geoArea(a));
  return largest === undefined ? undefined : geoCentroid(largest);
}

/** Where a place is on the drawing; `undefined` off its edge. */
export function place(lon: number, lat: number): { x: number; y: number } | undefined {
  const found = projection([lon, lat]);
  if (found === null) return undefined;
  const [x, y] = found;
  return x < 0 || x > WIDTH || y < 0 || y > HEIGHT ? undefined : { x, y };
}
