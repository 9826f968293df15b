/**
 * Errors. Each has a stable `code`; its message says what happened with the values, what was expected and how to
 * mend it; `where` names the module (`features.3`) when the failing call was made inside one.
 */

import { showUserFrames } from "./stack.js";

export type ErrorCode =
  | "FOVEA_SHAPE"
  | "FOVEA_DTYPE"
  | "FOVEA_ARGUMENT"
  | "FOVEA_DEVICE"
  | "FOVEA_UNSUPPORTED"
  | "FOVEA_STALE_VALUE"
  | "FOVEA_TRACE"
  | "FOVEA_GRADIENT"
  | "FOVEA_DATA"
  | "FOVEA_FORMAT"
  | "FOVEA_STATE_DICT"
  | "FOVEA_MEMORY"
  | "FOVEA_NOT_FINITE"
  | "FOVEA_FILE"
  | "FOVEA_ABORTED"
  | "FOVEA_INTERNAL";

export class FoveaError extends Error {
  readonly code: ErrorCode;
  /** Path of the module in which the failing call was made, such as `features.3`; undefined outside modules. */
  declare where?: string;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
    if (code !== "FOVEA_INTERNAL") showUserFrames(this);
  }

  /** Prefixes the message with a module's path, once. */
  at(where: string): this {
    if (this.where === undefined && where !== "") {
      const before = this.message;
      this.where = where;
      this.message = `${where}: ${before}`;
      this.stack = this.stack?.replace(before, () => this.message);
    }
    return this;
  }
}

/** Sizes that do not fit together. */
export class ShapeError extends FoveaError {
  constructor(message: string) {
    super("FOVEA_SHAPE", message);
  }
}

/** An element type that an operation does not take. */
export class DTypeError extends FoveaError {
  constructor(message: string) {
    super("FOVEA_DTYPE", message);
  }
}

/** A parameter outside its range, or of the wrong kind. */
export class ArgumentError extends FoveaError {
  constructor(message: string) {
    super("FOVEA_ARGUMENT", message);
  }
}

/** A device that is missing, mixed with another, closed, or that failed. */
export class DeviceError extends FoveaError {
  constructor(message: string, options?: ErrorOptions) {
    super("FOVEA_DEVICE", message, options);
  }
}

/** An operation that a device has no kernel for. */
export class UnsupportedOpError extends FoveaError {
  constructor(message: string) {
    super("FOVEA_UNSUPPORTED", message);
  }
}

/** A value that was never computed and depends on weights that have changed since. */
export class StaleValueError extends FoveaError {
  constructor(message: string) {
    super("FOVEA_STALE_VALUE", message);
  }
}

/** Something that cannot be done while a function is being recorded, or to a tensor that left its recording. */
export class TraceError extends FoveaError {
  constructor(message: string) {
    super("FOVEA_TRACE", message);
  }
}

/** A gradient that does not exist. */
export class GradientError extends FoveaError {
  constructor(message: string) {
    super("FOVEA_GRADIENT", message);
  }
}

/** Values that an operation cannot use, such as a label that names no class. */
export class DataError extends FoveaError {
  constructor(message: string, options?: ErrorOptions) {
    super("FOVEA_DATA", message, options);
  }
}

/** Bytes that are not what their format promises. */
export class FormatError extends FoveaError {
  constructor(message: string, options?: ErrorOptions) {
    super("FOVEA_FORMAT", message, options);
  }
}

/** Saved weights that do not fit the model. */
export class StateDictError extends FoveaError {
  constructor(message: string) {
    super("FOVEA_STATE_DICT", message);
  }
}

/** A program or tensor that needs more memory than there is. */
export class MemoryError extends FoveaError {
  constructor(message: string) {
    super("FOVEA_MEMORY", message);
  }
}

/** A loss or weight that became NaN or infinite. */
export class NotFiniteError extends FoveaError {
  constructor(message: string) {
    super("FOVEA_NOT_FINITE", message);
  }
}

/** A file or folder that is missing, unreadable or cannot be written. */
export class FileError extends FoveaError {
  constructor(message: string, options?: ErrorOptions) {
    super("FOVEA_FILE", message, options);
  }
}

/** Work that was cancelled through an `AbortSignal`. */
export class AbortedError extends FoveaError {
  constructor(message = "the work was cancelled") {
    super("FOVEA_ABORTED", message);
  }
}
