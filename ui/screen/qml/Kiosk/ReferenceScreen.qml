import QtQuick
import Kiosk.ViewModels

Page {
    id: root

    required property ReferenceViewModel viewModel

    heading: viewModel.heading
    lead: viewModel.lead
    pictureHeight: Theme.panelHeight * 0.16

    picture: Picture {
        anchors.horizontalCenter: parent.horizontalCenter
        fill: "M56 44 H144 A8 8 0 0 1 152 52 V150 A8 8 0 0 1 144 158 H56 A8 8 0 0 1 48 150 V52 A8 8 0 0 1 56 44 Z"
        height: parent ? parent.height : 0
        solid: "M72 112 H84 V124 H72 Z M94 112 H106 V124 H94 Z M116 112 H128 V124 H116 Z"
        strokes: "M56 44 H144 A8 8 0 0 1 152 52 V150 A8 8 0 0 1 144 158 H56 A8 8 0 0 1 48 150 V52 A8 8 0 0 1 56 44 Z M48 74 H152 M76 34 V54 M124 34 V54"
        thin: "M72 94 H128 M72 138 H106"
        width: height
    }

    Column {
        anchors.bottom: parent.bottom
        spacing: Theme.gap * 1.5
        width: parent.width

        Notice {
            warning: true
            width: parent.width
            words: root.viewModel.again
        }

        Rectangle {
            border.color: Theme.accent
            border.width: Theme.stroke
            color: Theme.surface
            height: Theme.button * 1.1
            radius: Theme.radius
            width: parent.width

            Words {
                anchors.centerIn: parent
                font.letterSpacing: Theme.mm * 2
                font.pixelSize: Theme.heading
                fontSizeMode: Text.HorizontalFit
                horizontalAlignment: Text.AlignHCenter
                objectName: "typedReference"
                strong: true
                text: root.viewModel.typed
                width: parent.width - Theme.gap * 2
                wrapMode: Text.NoWrap
            }
        }

        Keypad {
            complete: root.viewModel.complete
            eraseWords: root.viewModel.eraseWords
            ok: root.viewModel.ok
            width: parent.width

            onEntered: root.viewModel.find()
            onErased: root.viewModel.erase()
            onPressed: digit => root.viewModel.press(digit)
        }

        BigButton {
            label: root.viewModel.none
            objectName: "noBookingButton"
            width: parent.width

            onTapped: root.viewModel.haveNone()
        }
    }
}
