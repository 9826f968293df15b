/*
 * The elementwise machine: runs the instructions of a fused group over blocks of elements that stay in the L1 cache.
 *
 * Registers are pointers. A contiguous input of 32-bit elements is read where it lies, an instruction whose result is an
 * output writes it where it belongs, and everything else has a block in a pool on the stack. What is left after whole
 * vectors goes through the same instructions as one padded vector, so a result never depends on where it stood.
 */
#include "elementwise_instructions.h"

/* Elements that an instruction works on at a time, unless so many registers need a block that fewer must do. */
#define ELEMENTWISE_BLOCK 512
#define ELEMENTWISE_POOL 8192
/* Where the innermost axis is at least this long, blocks keep to one row of it, and stretched inputs need no copy. */
#define ELEMENTWISE_ROW 128

/* A word of any type. */
typedef int32_t word_any __attribute__((may_alias));

/* Known to the lowering (src/backends/cpu/kernels/elementwise.ts). */
#define ELEMENTWISE_INPUTS 32
#define ELEMENTWISE_OUTPUTS 16
#define ELEMENTWISE_REGISTERS 256

/* How an input gets into its register. */
typedef enum { READ_SCALAR, READ_IN_PLACE, READ_COPY, READ_WIDENED, READ_STRIDED } Reading;

typedef struct {
  const uint8_t *data;
  const int32_t *strides;
  Reading reading;
  int32_t bytes;  /* of an element */
  int32_t extent; /* elements up to the last one that a strided input reaches */
  int32_t period; /* elements after which a strided input begins again */
  float *block;   /* in the pool, if the register may need one */
} Source;

typedef struct {
  uint8_t *data;
  int32_t source;
  int32_t bytes;
  int32_t direct; /* written by the instruction itself */
} Target;

typedef struct {
  const ElementwiseStep *step;
  const Instruction *instructions;
  int32_t inputs, outputs, count;
  Register registers[ELEMENTWISE_REGISTERS];
  Source sources[ELEMENTWISE_INPUTS];
  Target targets[ELEMENTWISE_OUTPUTS];
  vf scalars[ELEMENTWISE_INPUTS];
} Machine;

INLINE int32_t element_bytes(uint32_t dtype) { return dtype == FOVEA_FLOAT32 || dtype == FOVEA_INT32 ? 4 : 1; }

/* One run of a strided input whose elements are four bytes: may write up to VW - 1 lanes too many. */
INLINE void read_run(const Source *source, int32_t at, int32_t stride, int32_t n, word_any *target) {
  const word_any *data = (const word_any *)source->data + at;
  if (stride == 0) {
    vi value = splat_int(*data);
    for (int32_t i = 0; i < n; i += VW) store_int((int32_t *)target + i, value);
  } else if (stride == 1 && at + n + VW <= source->extent) {
    for (int32_t i = 0; i < n; i += VW) store_int((int32_t *)target + i, load_int((const int32_t *)data + i));
  } else {
    for (int32_t i = 0; i < n; i++) target[i] = data[i * stride];
  }
}

INLINE void read_byte_run(const Source *source, int32_t at, int32_t stride, int32_t n, word_any *target) {
  const uint8_t *data = source->data + at;
  if (stride == 0) {
    vi value = splat_int(*data);
    for (int32_t i = 0; i < n; i += VW) store_int((int32_t *)target + i, value);
  } else {
    for (int32_t i = 0; i < n; i++) target[i] = data[i * stride];
  }
}

/*
 * Elements position … position + n - 1 of a strided input: within one row a number or a place in memory (if the register
 * may end there, `whole`), else a block with room for VW - 1 elements more.
 */
NOINLINE Register read_strided(const ElementwiseStep *step, const Source *source, vf *scalar, int32_t position,
                               int32_t n, int32_t whole) {
  int32_t index[MAX_RANK];
  int32_t inner = step->rank - 1, row = 0;
  for (int32_t axis = inner, rest = position; axis >= 0; axis--) {
    index[axis] = rest % step->dims[axis];
    rest /= step->dims[axis];
    if (axis < inner) row += index[axis] * source->strides[axis];
  }
  int32_t length = step->dims[inner], stride = source->strides[inner], at = index[inner];
  word_any *target = (word_any *)source->block;
  if (at + n <= length && stride == 0) {
    *scalar = (vf)splat_int(source->bytes == 4 ? ((const word_any *)source->data)[row] : source->data[row]);
    return (Register){(float *)scalar, 0};
  }
  if (at + n <= length && stride == 1 && source->bytes == 4 && whole) {
    return (Register){(float *)(uintptr_t)source->data + row + at, VW};
  }
  int32_t end = min_int(n, source->period), done = 0;
  for (;;) {
    int32_t run = min_int(length - at, end - done);
    if (source->bytes == 4) {
      read_run(source, row + at * stride, stride, run, target + done);
    } else {
      read_byte_run(source, row + at * stride, stride, run, target + done);
    }
    done += run;
    if (done == end) break;
    at = 0;
    for (int32_t axis = inner - 1; axis >= 0; axis--) {
      row += source->strides[axis];
      if (++index[axis] < step->dims[axis]) break;
      row -= index[axis] * source->strides[axis];
      index[axis] = 0;
    }
  }
  while (done < n) {
    int32_t again = min_int(done, n - done);
    __builtin_memcpy(target + done, target, (size_t)again * 4);
    done += again;
  }
  return (Register){source->block, VW};
}

/* Makes elements position … position + n - 1 of an input that is not a scalar a register. */
static Register read_input(Machine *machine, int32_t number, int32_t position, int32_t n, int32_t whole) {
  const Source *source = machine->sources + number;
  if (source->reading == READ_STRIDED) {
    return read_strided(machine->step, source, machine->scalars + number, position, n, whole);
  }
  if (source->reading == READ_IN_PLACE && whole) {
    return (Register){(float *)(uintptr_t)source->data + position, VW};
  }
  if (source->bytes == 4) {
    __builtin_memcpy(source->block, source->data + (size_t)position * 4, (size_t)n * 4);
  } else {
    const uint8_t *data = source->data + position;
    word_any *target = (word_any *)source->block;
    for (int32_t i = 0; i < n; i++) target[i] = data[i];
  }
  return (Register){source->block, VW};
}

static void write_block(const Target *target, Register source, int32_t position, int32_t n) {
  const word_any *lanes = (const word_any *)source.lanes;
  if (target->bytes == 4) {
    word_any *out = (word_any *)target->data + position;
    if (source.step == 0) {
      for (int32_t i = 0; i < n; i++) out[i] = *lanes;
    } else if (out != lanes) {
      __builtin_memcpy(out, lanes, (size_t)n * 4);
    }
  } else {
    uint8_t *out = target->data + position;
    if (source.step != 0) {
      for (int32_t i = 0; i < n; i++) out[i] = (uint8_t)lanes[i];
    } else {
      __builtin_memset(out, (uint8_t)*lanes, (size_t)n);
    }
  }
}

/*
 * Elements position … position + n - 1. With whole vectors, registers that live in memory are pointed there; else every
 * register is a block of the pool, and n is less than VW. `again`: strided inputs are what they were in the last block.
 */
static void run_block(Machine *machine, int32_t position, int32_t n, int32_t whole, int32_t again) {
  for (int32_t i = 0; i < machine->inputs; i++) {
    Reading reading = machine->sources[i].reading;
    if (reading == READ_SCALAR || (again && reading == READ_STRIDED)) continue;
    machine->registers[i] = read_input(machine, i, position, n, whole);
  }
  if (whole) {
    for (int32_t i = 0; i < machine->outputs; i++) {
      const Target *target = machine->targets + i;
      if (target->direct) machine->registers[target->source].lanes = (float *)target->data + position;
    }
  }
  for (int32_t i = 0; i < machine->count; i++) {
    execute(machine->instructions + i, machine->registers, whole ? n : VW);
  }
  for (int32_t i = 0; i < machine->outputs; i++) {
    const Target *target = machine->targets + i;
    if (!(target->direct && whole)) write_block(target, machine->registers[target->source], position, n);
  }
}

/* Number of the last instruction that reads a register, or -1. */
static int32_t last_read(const Machine *machine, uint32_t of) {
  for (int32_t i = machine->count - 1; i >= 0; i--) {
    const Instruction *instruction = machine->instructions + i;
    if (instruction->a == of || instruction->b == of || instruction->c == of || instruction->d == of) return i;
  }
  return -1;
}

/* Number of the first instruction that writes a register; `count` if none does. */
static int32_t first_write(const Machine *machine, uint32_t of) {
  for (int32_t i = 0; i < machine->count; i++) {
    if (machine->instructions[i].target == of) return i;
  }
  return machine->count;
}

static void open_input(const Context *context, Machine *machine, int32_t number, const InputOperand *input) {
  const ElementwiseStep *step = machine->step;
  Source *source = machine->sources + number;
  source->bytes = element_bytes(input->dtype);
  source->data = (const uint8_t *)address(context, input->buffer) + (size_t)input->offset * source->bytes;
  source->strides = input->strides;
  if (input->mode == MODE_SCALAR) {
    source->reading = READ_SCALAR;
    vi value = source->bytes == 4 ? splat_int(*(const word_any *)source->data) : splat_int(*source->data);
    machine->scalars[number] = (vf)value;
  } else if (input->mode == MODE_CONTIGUOUS) {
    source->reading = source->bytes == 4 ? READ_IN_PLACE : READ_WIDENED;
  } else {
    source->reading = READ_STRIDED;
    source->extent = 1;
    source->period = 1;
    for (int32_t axis = step->rank - 1, last = 1; axis >= 0; axis--) {
      source->extent += (step->dims[axis] - 1) * input->strides[axis];
      last *= step->dims[axis];
      if (input->strides[axis] != 0) source->period = last;
    }
  }
}

/*
 * An output may lie where an input lies. Its instruction then writes it only if nobody reads that input later; an input
 * that is itself an output elsewhere is copied before anything is written.
 */
static void open_output(Machine *machine, int32_t number) {
  Target *target = machine->targets + number;
  target->direct = target->source >= machine->inputs && target->bytes == 4;
  for (int32_t i = 0; i < number; i++) {
    if (machine->targets[i].source == target->source) target->direct = 0;
  }
  for (int32_t i = 0; i < machine->inputs; i++) {
    Source *source = machine->sources + i;
    if (source->reading != READ_IN_PLACE || source->data != target->data) continue;
    for (int32_t other = 0; other < machine->outputs; other++) {
      if (other != number && machine->targets[other].source == i) source->reading = READ_COPY;
    }
    if (source->reading == READ_COPY || !target->direct) continue;
    uint32_t written = (uint32_t)target->source;
    if (last_read(machine, (uint32_t)i) > first_write(machine, written)) target->direct = 0;
  }
}

/* Gives every register that needs one a block of the pool; returns the elements that a block may hold. */
static int32_t place_registers(Machine *machine, float *pool, int32_t whole) {
  uint8_t needs[ELEMENTWISE_REGISTERS];
  int32_t registers = machine->step->registers, needed = 0;
  for (int32_t i = 0; i < registers; i++) needs[i] = 1;
  for (int32_t i = 0; i < machine->inputs; i++) {
    Reading reading = machine->sources[i].reading;
    needs[i] = !(reading == READ_SCALAR || (reading == READ_IN_PLACE && whole));
  }
  for (int32_t i = 0; i < machine->outputs; i++) {
    if (machine->targets[i].direct && whole) needs[machine->targets[i].source] = 0;
  }
  for (int32_t i = 0; i < registers; i++) needed += needs[i];
  /* Blocks are VW apart: reading a strided input may overrun by that. */
  int32_t block = VW;
  if (whole) {
    int32_t room = needed == 0 ? ELEMENTWISE_BLOCK : (ELEMENTWISE_POOL / needed - VW) / VW * VW;
    block = min_int(room, ELEMENTWISE_BLOCK);
  }
  for (int32_t i = 0; i < registers; i++) {
    machine->registers[i] = (Register){pool, VW};
    if (needs[i]) pool += block + VW;
  }
  for (int32_t i = 0; i < machine->inputs; i++) {
    machine->sources[i].block = machine->registers[i].lanes;
    if (machine->sources[i].reading == READ_SCALAR) machine->registers[i] = (Register){(float *)(machine->scalars + i), 0};
  }
  return block;
}

static void open_machine(const Context *context, const ElementwiseStep *step, Machine *machine) {
  machine->step = step;
  machine->instructions = RECORDS(context, Instruction, step->instructions);
  machine->inputs = (int32_t)step->inputs.count;
  machine->outputs = (int32_t)step->outputs.count;
  machine->count = (int32_t)step->instructions.count;
  const InputOperand *inputs = RECORDS(context, InputOperand, step->inputs);
  const OutputOperand *outputs = RECORDS(context, OutputOperand, step->outputs);
  for (int32_t i = 0; i < machine->inputs; i++) open_input(context, machine, i, inputs + i);
  for (int32_t i = 0; i < machine->outputs; i++) {
    machine->targets[i].data = address(context, outputs[i].buffer);
    machine->targets[i].source = (int32_t)outputs[i].source;
    machine->targets[i].bytes = element_bytes(outputs[i].dtype);
  }
}

/* Elements after which all strided inputs begin again; 0 if there are none, or none such. */
static int32_t common_period(const Machine *machine) {
  int32_t period = 0;
  for (int32_t i = 0; i < machine->inputs; i++) {
    const Source *source = machine->sources + i;
    if (source->reading != READ_STRIDED) continue;
    if (period > 0 && period % source->period != 0 && source->period % period != 0) return 0;
    period = max_int(period, source->period);
  }
  return period;
}

static void elementwise_range(const Context *context, const ElementwiseStep *step, int32_t begin, int32_t end) {
  if (step == NULL || begin >= end) return;
  Machine machine;
  vf pool[ELEMENTWISE_POOL / VW];
  open_machine(context, step, &machine);
  for (int32_t i = 0; i < machine.outputs; i++) open_output(&machine, i);

  int32_t tail = (end - begin) % VW, position = begin;
  if (position < end - tail) {
    int32_t block = place_registers(&machine, (float *)pool, 1), period = common_period(&machine);
    int32_t row = step->rank > 0 ? step->dims[step->rank - 1] : 0;
    /* Blocks that begin at the same place of what is stretched need it once. */
    int32_t repeats = period > 0 && period <= block && period % VW == 0;
    if (repeats) block -= block % period;
    while (position < end - tail) {
      int32_t n = min_int(block, end - tail - position);
      if (row >= ELEMENTWISE_ROW && !repeats) n = min_int(n, max_int(VW, (row - position % row) / VW * VW));
      run_block(&machine, position, n, 1, repeats && position > begin);
      position += n;
    }
  }
  if (tail > 0) {
    for (int32_t i = 0; i < ELEMENTWISE_POOL / VW && i < 2 * step->registers; i++) pool[i] = (vf){};
    place_registers(&machine, (float *)pool, 0);
    run_block(&machine, end - tail, tail, 0, 0);
  }
}

/* Makes rows of an input a register, one row after the other. */
static void gather_region(Machine *machine, int32_t number, Region region) {
  Source source = machine->sources[number];
  float *block = source.block;
  /* Rows that are all the same are read once. */
  int32_t same = source.reading == READ_STRIDED && region.pitch % source.period == 0;
  for (int32_t r = 0; r < (same ? 1 : region.rows); r++, source.block += region.length) {
    int32_t at = region.begin + r * region.pitch;
    if (source.reading == READ_COPY) {
      const float *from = (const float *)(uintptr_t)source.data + at;
      for (int32_t i = 0; i < region.length; i += VW) store(source.block + i, load(from + i));
    } else if (source.reading == READ_WIDENED) {
      for (int32_t i = 0; i < region.length; i++) ((word_any *)source.block)[i] = source.data[at + i];
    } else {
      vf number_lanes;
      Register row = read_strided(machine->step, &source, &number_lanes, at, region.length, 0);
      for (int32_t i = 0; row.step == 0 && i < region.length; i += VW) store(source.block + i, number_lanes);
    }
  }
  for (int32_t r = 1; same && r < region.rows; r++) {
    for (int32_t i = 0; i < region.length; i += VW) store(block + r * region.length + i, load(block + i));
  }
}

static void run_region(Machine *machine, Region region, int32_t again) {
  for (int32_t i = 0; i < machine->inputs; i++) {
    const Source *source = machine->sources + i;
    if (source->reading == READ_SCALAR) continue;
    if (again && source->reading == READ_STRIDED && region.pitch % source->period == 0) continue;
    gather_region(machine, i, region);
  }
  for (int32_t i = 0; i < machine->count; i++) {
    execute(machine->instructions + i, machine->registers, region.rows * region.length);
  }
  for (int32_t i = 0; i < machine->outputs; i++) {
    const Target *target = machine->targets + i;
    Register source = machine->registers[target->source];
    for (int32_t r = 0; r < region.rows; r++, source.lanes += source.step == 0 ? 0 : region.length) {
      write_block(target, source, region.begin + r * region.pitch, region.length);
    }
  }
}

/*
 * What most epilogues of networks are: a factor and a summand for each element of a row, or a summand alone, then
 * another tensor, then a rectifier. Done in registers, by the same operations as instruction after instruction.
 */
typedef struct {
  const float *x, *factor, *summand, *other;
  float *out;
  int32_t row, rectified;
} Affine;

static const float *row_operand(const Machine *machine, int32_t number) {
  const ElementwiseStep *step = machine->step;
  const Source *source = machine->sources + number;
  int32_t is_row = number < machine->inputs && source->reading == READ_STRIDED && source->bytes == 4 &&
                   step->rank == 2 && source->strides[0] == 0 && source->strides[1] == 1;
  return is_row ? (const float *)(uintptr_t)source->data : NULL;
}

static int32_t open_affine(const Machine *machine, Affine *affine) {
  const ElementwiseStep *step = machine->step;
  if (machine->outputs != 1 || machine->targets[0].bytes != 4 || machine->sources[0].reading != READ_IN_PLACE) return 0;
  *affine = (Affine){.x = (const float *)(uintptr_t)machine->sources[0].data, .out = (float *)machine->targets[0].data};
  affine->row = step->rank == 2 ? step->dims[1] : 0;
  uint32_t value = 0;
  for (int32_t i = 0; i < machine->count; i++) {
    const Instruction *in = machine->instructions + i;
    if (affine->rectified) return 0;
    if (in->opcode == OP_RELU && in->a == value) {
      affine->rectified = 1;
    } else if (in->opcode == OP_MULTIPLY_ADD && i == 0 && (in->a == value) != (in->b == value)) {
      affine->factor = row_operand(machine, in->a == value ? in->b : in->a);
      affine->summand = row_operand(machine, in->c);
      if (affine->factor == NULL || affine->summand == NULL) return 0;
    } else if (in->opcode == OP_ADD && (in->a == value) != (in->b == value)) {
      int32_t other = in->a == value ? in->b : in->a;
      const float *row = row_operand(machine, other);
      if (row != NULL && i == 0) {
        affine->summand = row;
      } else if (other < machine->inputs && machine->sources[other].reading == READ_IN_PLACE && affine->other == NULL) {
        affine->other = (const float *)(uintptr_t)machine->sources[other].data;
      } else {
        return 0;
      }
    } else {
      return 0;
    }
    value = in->target;
  }
  return value == (uint32_t)machine->targets[0].source;
}

INLINE void run_affine_row(const Affine *a, int32_t at, int32_t channel, int32_t length, const int factor,
                           const int summand, const int other) {
  vf least = splat(a->rectified ? 0 : -__builtin_inff());
  for (int32_t i = 0; i < length; i += VW) {
    vf x = load(a->x + at + i);
    if (factor) x = x * load(a->factor + channel + i);
    if (summand) x = x + load(a->summand + channel + i);
    if (other) x = x + load(a->other + at + i);
    store(a->out + at + i, (vf)((vi)x & ~(x < least)));
  }
}

static void run_affine(const Affine *a, Region region) {
  for (int32_t r = 0; r < region.rows; r++) {
    int32_t at = region.begin + r * region.pitch, channel = a->row > 0 ? at % a->row : 0;
    if (a->factor != NULL && a->other != NULL) {
      run_affine_row(a, at, channel, region.length, 1, 1, 1);
    } else if (a->factor != NULL) {
      run_affine_row(a, at, channel, region.length, 1, 1, 0);
    } else if (a->summand != NULL && a->other != NULL) {
      run_affine_row(a, at, channel, region.length, 0, 1, 1);
    } else if (a->summand != NULL) {
      run_affine_row(a, at, channel, region.length, 0, 1, 0);
    } else {
      run_affine_row(a, at, channel, region.length, 0, 0, a->other != NULL);
    }
  }
}

static void elementwise_region(const Context *context, const ElementwiseStep *step, Region region) {
  if (step == NULL || region.rows == 0) return;
  Machine machine;
  open_machine(context, step, &machine);
  Affine affine;
  if (open_affine(&machine, &affine)) {
    run_affine(&affine, region);
    return;
  }
  if (region.length == region.pitch || region.rows == 1) {
    elementwise_range(context, step, region.begin, region.begin + (region.rows - 1) * region.pitch + region.length);
    return;
  }
  vf pool[ELEMENTWISE_POOL / VW];
  for (int32_t i = 0; i < machine.inputs; i++) {
    if (machine.sources[i].reading == READ_IN_PLACE) machine.sources[i].reading = READ_COPY;
  }
  for (int32_t i = 0; i < machine.outputs; i++) machine.targets[i].direct = 0;
  int32_t block = place_registers(&machine, (float *)pool, 1);
  for (int32_t first = 0; first < region.length; first += block) {
    int32_t length = min_int(block, region.length - first), rows = block / length;
    for (int32_t r = 0; r < region.rows; r += rows) {
      Region part = {region.begin + r * region.pitch + first, min_int(rows, region.rows - r), length, region.pitch};
      run_region(&machine, part, r > 0);
    }
  }
}

static void kernel_elementwise(const Context *context, const ElementwiseStep *step) {
  int32_t count = step->count, blocks = count / ELEMENTWISE_BLOCK + (count % ELEMENTWISE_BLOCK > 0);
  Range own = share(context, blocks);
  int32_t end = own.end == blocks ? count : own.end * ELEMENTWISE_BLOCK;
  elementwise_range(context, step, own.begin * ELEMENTWISE_BLOCK, end);
}
