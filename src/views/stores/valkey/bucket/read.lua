return ask(reads)
