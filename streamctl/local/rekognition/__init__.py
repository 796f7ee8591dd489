"""Amazon Rekognition on one machine: stream processors, collections, and the engine that sees."""
