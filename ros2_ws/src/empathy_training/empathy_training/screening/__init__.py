"""The crisis gate's classifier: utterances that were written for it, training and measuring."""
