return ask(amends)
