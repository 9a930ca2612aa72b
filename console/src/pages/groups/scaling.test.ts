/** How many members, and by which targets. */
import { expect, test } from "vitest";

import { newScaling, scalingBody, scalingFault, scalingOptions } from "./scaling.ts";

test("min, wanted and max are in that order, and percent are percent", () => {
  expect(scalingFault(newScaling)).toBeUndefined();
  expect(scalingFault({ ...newScaling, max: undefined })).toBe("missing");
  expect(scalingFault({ ...newScaling, wanted: 9 })).toBe("order");
  expect(scalingFault({ ...newScaling, max: 201 })).toBe("order");
  expect(scalingFault({ ...newScaling, targets: { cpu: 101 } })).toBe("percent");
  expect(scalingFault({ ...newScaling, targets: { sessions: 101 } })).toBeUndefined();
});

test("only targets that were given are sent, and the command says the same", () => {
  const body = scalingBody({ min: 2, max: 5, wanted: 3, targets: { cpu: 60, gpu: 70 } });
  expect(body).toEqual({
    min: 2,
    max: 5,
    wanted: 3,
    targets: [
      { signal: "cpu", value: 60 },
      { signal: "gpu", value: 70 },
    ],
  });
  expect(scalingOptions(body)).toBe("--min 2 --max 5 --wanted 3 --target cpu=60 --target gpu=70");
});
