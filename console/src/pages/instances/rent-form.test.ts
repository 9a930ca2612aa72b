/** The form for a new instance: what is wrong with it, the body and the command that it makes. */
import { expect, test } from "vitest";

import { emptyForm, faultsOf, imageFor, leaseBody, quotaLeft, rentCommand } from "./rent-form.ts";

const flavor = { name: "small", diskGiB: 5, memoryMiB: 1024 };
const image = { name: "tiny", takesUserData: false, minDiskGiB: 8, minMemoryMiB: 2048 };
const plainImage = { ...image, minDiskGiB: 1, minMemoryMiB: 1 };
const named = { ...emptyForm, name: "web" };

test("what the server would refuse is said at the field", () => {
  expect(faultsOf(named, { flavor, image: plainImage })).toEqual({});
  expect(faultsOf(emptyForm, { flavor, image })).toEqual({
    name: "nameMissing",
    diskGiB: "imageDisk",
    image: "imageMemory",
  });
  const wrong = {
    ...emptyForm,
    name: "<b>Web</b>",
    group: "-x",
    diskGiB: 4,
    userData: "#cloud-config",
    near: Array.from({ length: 17 }, (_unused, index) => `n${index}`).join(", "),
  };
  expect(faultsOf(wrong, { flavor, image: plainImage })).toEqual({
    name: "nameRule",
    group: "groupRule",
    diskGiB: "diskSmall",
    userData: "noUserData",
    near: "manyNames",
  });
  const takes = { ...plainImage, takesUserData: true };
  expect(faultsOf({ ...named, userData: "x".repeat(16_385) }, { flavor, image: takes })).toEqual({
    userData: "userDataLong",
  });
});

test("the image that is proposed is one that the flavor has room for", () => {
  const small = { ...plainImage, name: "small" };
  expect(imageFor([image, small], "", flavor)).toBe(small);
  expect(imageFor([image, small], "tiny", flavor)).toBe(image);
  expect(imageFor([image], undefined, flavor)).toBe(image);
  expect(imageFor([], undefined, flavor)).toBeUndefined();
});

test("what was left as it is, is not said", () => {
  expect(leaseBody({ ...named, diskGiB: 5 }, { flavor, image: plainImage })).toEqual({
    name: "web",
    flavor: "small",
    image: "tiny",
  });
  const body = leaseBody(
    { ...named, diskGiB: 9, sshKeys: [], near: "a, b", restart: "never", userData: "it's" },
    { flavor, image: plainImage },
  );
  expect(body).toMatchObject({ diskGiB: 9, sshKeys: [], near: ["a", "b"], restart: "never" });
  expect(rentCommand(body)).toBe(
    "millrace lease create web --flavor small --image tiny --disk 9GiB --user-data user-data.yaml --restart never --near a --near b",
  );
});

test("a GPU model that the quota does not name may not be had", () => {
  const used = { vcpus: 60, memoryMiB: 0, diskGiB: 9, leases: 3, gpus: { A100: 2 } };
  const limits = { vcpus: 64, memoryMiB: 1024, diskGiB: 8, leases: 5, gpus: { A100: 3 } };
  expect(quotaLeft({ limits, used }, "A100")).toEqual({
    vcpus: 4,
    memoryMiB: 1024,
    diskGiB: 0,
    leases: 2,
    gpus: 1,
  });
  expect(quotaLeft({ limits, used }, "H100").gpus).toBe(0);
});
