/**
 * Hinoko's own engine on Node, which the setting ENGINE=native puts in place of engine.io.
 */
import { NativeEngine } from "../../../src/engine/native.ts";
import { readOptions } from "../../../src/engine/options.ts";
import type { Mounted } from "../../../src/runtime.ts";
import { commands } from "../../commands.ts";
import type { NodeEngine } from "../engine.ts";

/** Makes the engine of a service. */
export const createNativeEngine = ({ engine, settings }: Mounted): NodeEngine =>
  // An option that this engine cannot honour is refused with this name: on Node, engine.io can honour it.
  new NativeEngine(engine, readOptions(settings, `${commands.node.name} with ENGINE=native`));
