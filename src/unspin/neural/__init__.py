"""The neural ranker: `ranker` reads with it, `data`, `model` and `train` make one, `wordpiece` is what it reads."""
