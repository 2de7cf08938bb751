pragma ComponentBehavior: Bound

import QtQuick
import Kiosk.ViewModels

// The kiosk's turn: a light that goes round, quietly.
Item {
    id: root

    property int beat: 0

    Repeater {
        model: 12

        Rectangle {
            required property int index

            color: Theme.accent
            height: Theme.gap
            opacity: 0.15 + 0.85 * Math.max(0, 1 - ((root.beat - index + 12) % 12) / 6)
            radius: height / 2
            width: height
            x: root.width / 2 - width / 2 + (root.width / 2 - width) * Math.sin(index * Math.PI / 6)
            y: root.height / 2 - height / 2 - (root.height / 2 - height) * Math.cos(index * Math.PI / 6)
        }
    }

    Timer {
        interval: 100
        repeat: true
        running: root.visible && Theme.motion > 0

        onTriggered: root.beat = (root.beat + 1) % 12
    }
}
