/**
 * Hinoko's own engine on Node, in place of engine.io: ENGINE=native.
 */
import { NativeEngine } from "../../../src/engine/native.ts";
import { readOptions } from "../../../src/engine/options.ts";
import type { Mounted } from "../../../src/runtime.ts";
import { commands } from "../../commands.ts";
import type { NodeEngine } from "../engine.ts";

/** Makes the engine of a service. */
export const createNativeEngine = ({ engine, settings }: Mounted): NodeEngine =>
  // The name says it: engine.io has what the native engine has not.
  new NativeEngine(engine, readOptions(settings.socketio, `${commands.node.name} with ENGINE=native`));
