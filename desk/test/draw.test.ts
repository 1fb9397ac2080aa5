import { expect, it } from "vitest";
import { between } from "../src/player/draw";

const PAIRS = [-0.1, 0.2, -0.5, 0.1, -0.2, 0.9];

it("takes the least and the greatest of the pairs it covers", () => {
  expect(between(PAIRS, 0, 1)).toEqual([-0.1, 0.2]);
  expect(between(PAIRS, 0, 2)).toEqual([-0.5, 0.2]);
  expect(between(PAIRS, 0, 3)).toEqual([-0.5, 0.9]);
});

it("takes one pair where a pixel is narrower than a pair, and silence where there is none", () => {
  expect(between(PAIRS, 1, 1)).toEqual([-0.5, 0.1]);
  expect(between(PAIRS, 9, 12)).toEqual([0, 0]);
  expect(between([], 0, 0)).toEqual([0, 0]);
});
