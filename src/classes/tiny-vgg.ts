/** The 10 classes of CNN Explainer's Tiny VGG, by number (Wang et al., "CNN Explainer", 2020); pictures of Tiny ImageNet. */
export const tinyVggClasses: readonly string[] = [
  "lifeboat",
  "ladybug",
  "pizza",
  "bell pepper",
  "school bus",
  "koala",
  "espresso",
  "red panda",
  "orange",
  "sport car",
];
