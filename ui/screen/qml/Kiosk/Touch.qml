import QtQuick

// What a finger can press: the area, its name for assistive technology, whether it is pressed.
Item {
    id: root

    property string label
    property string hint
    property bool available: true
    property bool scrolls: false
    readonly property bool pressed: handler.pressed

    signal tapped

    enabled: available
    Accessible.description: hint
    Accessible.name: label
    Accessible.role: Accessible.Button
    Accessible.focusable: true
    Accessible.onPressAction: if (root.enabled) root.tapped()

    TapHandler {
        id: handler

        gesturePolicy: root.scrolls ? TapHandler.DragThreshold : TapHandler.ReleaseWithinBounds

        onTapped: root.tapped()
    }
}
