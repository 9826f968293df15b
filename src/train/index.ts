/** Training, evaluation, prediction and checkpoints. */

export { type BestWeights, type BestWeightsOptions, bestWeights } from "./bestWeights.js";
export {
  type Checkpoint,
  type CheckpointInfo,
  readCheckpoint,
  readCheckpointInfo,
  writeCheckpoint,
} from "./checkpoint.js";
export { type EarlyStoppingOptions, earlyStopping } from "./earlyStopping.js";
export { type EvaluateOptions, Evaluator, type EvaluatorOptions, evaluateModel } from "./evaluation.js";
export { type ExtractOptions, extractFeatures, type LabelledPictures } from "./features.js";
export type { ImprovementOptions } from "./improvement.js";
export { type LayerwiseOptions, layerwiseRates } from "./layerwiseRates.js";
export { type EventSink, type LogOptions, logTraining } from "./logging.js";
export {
  type DenoisingOptions,
  denoising,
  type Objective,
  type SegmentationOptions,
  segmentation,
  type Targets,
} from "./objective.js";
export type { Callbacks, FitOptions, GroupTraining, TrainerOptions, TrainingData } from "./options.js";
export {
  type DenoisedSample,
  type DenoisingEvaluateOptions,
  type DenoisingReport,
  evaluateDenoising,
  evaluateSegmentation,
  type PictureQuality,
  type PixelEvaluateOptions,
  QualityMean,
  type SegmentationEvaluateOptions,
  type SegmentedSample,
} from "./pixelEvaluation.js";
export {
  type DenoisedPicture,
  denoisePictures,
  type PixelPredictOptions,
  type PixelViews,
  type SegmentedPicture,
  segmentPictures,
} from "./pixelPrediction.js";
export { normalizePixels } from "./pixels.js";
export { type Prediction, type PredictOptions, Predictor, predict, ranking } from "./predict.js";
export type { EpochRecord, Position, Progress, TrainingState } from "./records.js";
export type { SavedSums, Scores } from "./sums.js";
export { fit, Trainer } from "./trainer.js";
