"""One view-model a screen: frozen props, derived by a pure function, shown by QML."""
