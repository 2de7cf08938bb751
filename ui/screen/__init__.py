"""The guest's screen in Qt Quick. Only this package knows Qt; QML holds no logic."""
