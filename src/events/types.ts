/**
 * The types that a contract gives to both sides: to listeners the output of a schema, to those who emit its input.
 */
import type { EventFailure } from "../failure.ts";
import type { EventContract, NamespaceContract, Schema } from "./define.ts";

/** The names of the namespaces of a contract. */
export type NamespaceName<Contract extends EventContract> = "/" | (keyof Contract["namespaces"] & string);

/** The events of one namespace of a contract. */
export type NamespaceOf<
  Contract extends EventContract,
  Name extends NamespaceName<Contract>,
> = Name extends "/"
  ? Contract
  : Contract["namespaces"] extends Readonly<Record<Name, infer Namespace extends NamespaceContract>>
    ? Namespace
    : never;

/** Whether a value is what is emitted, or what the schema makes of it for listeners. */
type Side = "input" | "output";

type Value<S extends Schema, As extends Side> = NonNullable<S["~standard"]["types"]>[As];

type Values<List extends readonly Schema[], As extends Side> = {
  -readonly [Index in keyof List]: Value<List[Index], As>;
};

/** The arguments of an event. */
type Arguments<Event, As extends Side> = Event extends Schema
  ? [Value<Event, As>]
  : Event extends readonly Schema[]
    ? Values<Event, As>
    : Event extends { readonly data: infer Data }
      ? Arguments<Data, As>
      : [];

/** What a listener returns as the acknowledgement; never if the event has none. A schema may have an `ack` of its own. */
type Answer<Event> = Event extends Schema | readonly Schema[]
  ? never
  : Event extends { readonly ack: infer Ack extends Schema }
    ? Value<Ack, "input">
    : never;

/** A listener on the server. What it returns, or resolves with, is the acknowledgement. */
type ListenerOf<Event> = [Answer<Event>] extends [never]
  ? (...data: Arguments<Event, "output">) => unknown
  : (...data: Arguments<Event, "output">) => Answer<Event> | Promise<Answer<Event>>;

/** How a client emits an event. The acknowledgement is what the listener has returned, or what has failed. */
type EmitOf<Event> = [Answer<Event>] extends [never]
  ? (...data: Arguments<Event, "input">) => void
  : (...data: [...Arguments<Event, "input">, ack: (answer: Answer<Event> | EventFailure) => void]) => void;

type Defined<Events> = Exclude<Events, undefined>;

/** The listeners of a namespace's sockets on the server, as the types of Socket.IO want them. */
export type ListenEvents<Namespace extends NamespaceContract> = {
  -readonly [Name in keyof Defined<Namespace["client"]> & string]: ListenerOf<
    Defined<Namespace["client"]>[Name]
  >;
};

/** What the server emits in a namespace, as the types of Socket.IO want it. */
export type EmitEvents<Namespace extends NamespaceContract> = {
  -readonly [Name in keyof Defined<Namespace["server"]> & string]: (
    ...data: Arguments<Defined<Namespace["server"]>[Name], "input">
  ) => void;
};

/** What a client hears: the first type parameter of socket.io-client's `Socket`. */
export type ServerToClient<
  Contract extends EventContract,
  Name extends NamespaceName<Contract> = "/",
> = EmitEvents<NamespaceOf<Contract, Name>> & { "hinoko:error": (failure: EventFailure) => void };

/** What a client emits: the second type parameter of socket.io-client's `Socket`. */
export type ClientToServer<Contract extends EventContract, Name extends NamespaceName<Contract> = "/"> = {
  -readonly [Event in keyof Defined<NamespaceOf<Contract, Name>["client"]> & string]: EmitOf<
    Defined<NamespaceOf<Contract, Name>["client"]>[Event]
  >;
};
