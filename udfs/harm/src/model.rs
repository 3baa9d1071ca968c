mod bytes;
mod fasttext;
