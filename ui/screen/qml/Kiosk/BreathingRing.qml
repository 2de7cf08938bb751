import QtQuick
import Kiosk.ViewModels

// The kiosk waits for the guest. Steps ten times a second, not sixty: an idle kiosk stays idle.
Rectangle {
    id: root

    property bool breathing: true
    property int beat: 0

    border.color: Theme.accent
    border.width: Theme.stroke
    color: "transparent"
    opacity: 0.12 + 0.5 * (0.5 - 0.5 * Math.cos(beat * Math.PI / 20))
    radius: width / 2

    Timer {
        interval: 100
        repeat: true
        running: root.visible && root.breathing && Theme.motion > 0

        onTriggered: root.beat = (root.beat + 1) % 40
    }
}
