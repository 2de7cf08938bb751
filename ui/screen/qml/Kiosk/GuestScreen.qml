import QtQuick
import Kiosk.ViewModels

// A screen comes in by opacity and a short way up, then stands still.
Item {
    id: root

    property real arrival

    opacity: 1 - arrival

    transform: Translate {
        y: root.arrival * Theme.gap * 2
    }

    NumberAnimation on arrival {
        duration: Theme.motion
        easing.type: Easing.OutCubic
        from: 1
        to: 0
    }
}
