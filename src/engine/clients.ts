/**
 * Shows a map of sessions as an object with the ids as its keys, as `io.engine.clients` is with engine.io. Looking one up
 * costs as much as in the map, and listing them a call for each; nothing is copied or kept.
 */
export function viewAsRecord<Value>(map: ReadonlyMap<string, Value>): Readonly<Record<string, Value>> {
  const find = (key: string | symbol) => (typeof key === "string" ? map.get(key) : undefined);
  return new Proxy<Record<string, Value>>(
    {},
    {
      get: (object, key) => find(key) ?? Reflect.get(object, key),
      has: (object, key) => find(key) !== undefined || Reflect.has(object, key),
      ownKeys: () => [...map.keys()],
      getOwnPropertyDescriptor(_, key) {
        const value = find(key);
        return value === undefined ? undefined : { value, enumerable: true, configurable: true };
      },
      // Only the engine adds and removes sessions.
      set: () => false,
      defineProperty: () => false,
      deleteProperty: () => false,
    },
  );
}
