/**
 * Calls `then` with a value: at once, or when it resolves if it is a promise. An `await` would always cost a microtask.
 */
export const andThen = <Value, Result>(
  value: Value | Promise<Value>,
  then: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> => (value instanceof Promise ? value.then(then) : then(value));
