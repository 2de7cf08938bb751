import QtQuick
import Kiosk.ViewModels

// Before anything of the guest is cleared, the kiosk asks.
Rectangle {
    id: root

    required property FrameViewModel frame

    color: Theme.scrim
    visible: frame.idleHeading !== ""

    // Nothing below may be touched by accident.
    TapHandler {
        gesturePolicy: TapHandler.WithinBounds
    }

    Rectangle {
        anchors.bottom: parent.bottom
        anchors.bottomMargin: parent.height * 0.13
        anchors.horizontalCenter: parent.horizontalCenter
        border.color: Theme.hairline
        border.width: Theme.hair
        color: Theme.paper
        height: question.implicitHeight + Theme.gap * 8
        radius: Theme.radius
        width: parent.width - Theme.margin * 2

        Column {
            id: question

            anchors.centerIn: parent
            spacing: Theme.gap * 2
            width: parent.width - Theme.gap * 6

            Words {
                font.pixelSize: Theme.title
                horizontalAlignment: Text.AlignHCenter
                strong: true
                text: root.frame.idleHeading
                width: parent.width
            }

            Words {
                color: Theme.muted
                font.pixelSize: Theme.lead
                horizontalAlignment: Text.AlignHCenter
                text: root.frame.idleLead
                width: parent.width
            }

            BigButton {
                height: Math.max(implicitHeight, Theme.button * 2)
                hint: root.frame.idleStayOther
                label: root.frame.idleStay
                large: true
                main: true
                objectName: "stillHereButton"
                width: parent.width

                onTapped: root.frame.stay()
            }
        }
    }
}
